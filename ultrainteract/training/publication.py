"""A trained model on the Hub, in one commit, with a card that says what it was trained on, to the data's revision."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ultrainteract.dataset.info import public_name
from ultrainteract.errors import DataError, HubError, require
from ultrainteract.training.checkpoints import MODEL, REPORT
from ultrainteract.training.patterns import FILE as PATTERNS
from ultrainteract.training.plan import TrainReport

_BARE = frozenset({".gitattributes", "README.md", ".gitignore"})
"""Files of a repository that holds nothing yet."""
_LOSSES = {
    "sft": "cross-entropy of the last action",
    "dpo": "DPO",
    "kto": "KTO",
    "nca": "NCA",
    "reward": "L_BT + L_DR (Advancing LLM Reasoning Generalists with Preference Trees, section 3)",
}


@dataclass(frozen=True)
class PublishedModel:
    """What was published, and where."""

    repo: str
    """The model's id."""
    revision: str
    """The commit."""
    url: str
    """Its address."""


def read_report(folder: str | Path) -> TrainReport:
    """The report of a finished stage.

    Raises:
        DataError: The folder is none of a finished stage.
    """
    path = Path(folder) / REPORT
    if not path.is_file() or not (path.parent / MODEL).is_dir():
        raise DataError(
            f"{folder} holds no trained model: name the folder of a stage, such as runs/train/dpo."
        )
    return TrainReport.model_validate_json(path.read_bytes())


def card(report: TrainReport, name: str) -> str:
    """The model card, without a path or name of this machine."""
    base = public_name(report.start)
    plan = report.plan
    metadata: dict[str, Any] = {
        "library_name": "transformers",
        "pipeline_tag": "text-classification" if report.stage == "reward" else "text-generation",
        "tags": ["ultrainteract", report.stage, *(["simulated"] if report.simulated else [])],
    }
    if "/" in base:
        metadata["base_model"] = base
    if found := [place for place in report.data_revisions if "/" in place]:
        metadata["datasets"] = found
    lines = ["---", yaml.safe_dump(metadata, sort_keys=False).strip(), "---", "", f"# {name}", ""]
    if report.simulated:
        lines += ["**Trained on simulated data: for demonstration only.**", ""]
    lines += [
        f"Stage `{report.stage}` ({_LOSSES[report.stage]}) from `{base}`.",
        "",
        "| | |",
        "| --- | --- |",
        f"| data | {report.data} |",
        *(f"| revision of {place} | `{commit}` |" for place, commit in report.data_revisions.items()),
        f"| fingerprint of the data | `{report.data_fingerprint}` |",
        f"| hash of the rows | `{report.data_digest}` |",
        f"| hash of the start model | `{report.start_digest}` |",
        f"| rows | {', '.join(f'{number:,} {origin}' for origin, number in plan.rows.items())}; {plan.kept:,} kept |",
        f"| tokens per epoch | {plan.tokens:,} |",
        f"| steps | {report.steps:,} of {plan.batch_size} rows |",
        f"| maximum length | {plan.max_length:,} tokens |",
        *(
            f"| {key} | {value:.4g} |"
            for key, value in report.metrics.items()
            if key.startswith(("rewards/", "eval_"))
        ),
        f"| made with | {', '.join(f'{key} {value}' for key, value in report.versions.items())} |",
    ]
    if report.warnings:
        lines += ["", *(f"- {warning}" for warning in report.warnings)]
    return "\n".join(lines) + "\n"


def push_model(
    folder: str | Path,
    repo: str,
    *,
    private: bool = False,
    allow_simulated: bool = False,
    replace: bool = False,
) -> PublishedModel:
    """Publishes a stage's model, its card and its report in one commit.

    Args:
        folder: The stage's folder.
        repo: Model id on the Hub, `namespace/name`.
        private: Make a new repository private.
        allow_simulated: Publish a model that was trained on simulated data, marked as such.
        replace: Publish into a repository that holds something else; no file of others is deleted.

    Raises:
        DataError: The folder is none of a finished stage.
        HubError: It was refused or failed.
    """
    report = read_report(folder)
    if report.simulated and not allow_simulated:
        raise HubError(
            "This model was trained on simulated data. Publish it, marked as such, with --allow-simulated."
        )
    require("huggingface_hub", "hub")
    from httpx2 import HTTPError
    from huggingface_hub import CommitOperationAdd
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError

    from ultrainteract.hub.client import hub_api, retried, unreachable

    folder, api = Path(folder), hub_api()
    public = report.model_copy(update={"start": public_name(report.start), "plan": _public(report)})
    files: dict[str, Path | bytes] = {
        path.relative_to(folder / MODEL).as_posix(): path
        for path in sorted((folder / MODEL).rglob("*"))
        if path.is_file()
    }
    files |= {path.name: path for path in sorted(folder.glob(f"{Path(PATTERNS).stem}.*"))}
    files |= {
        REPORT: public.model_dump_json(indent=2).encode() + b"\n",
        "README.md": card(public, repo.rpartition("/")[2]).encode(),
    }
    try:
        name = _made(api, repo, private)
        info = retried(lambda: api.model_info(name))
        there = {item.rfilename for item in info.siblings or ()}
        if there - _BARE and REPORT not in there and not replace:
            raise HubError(f"{name} holds something else. Choose another id, or pass --replace.")
        commit = api.create_commit(
            name,
            [
                CommitOperationAdd(path, content if isinstance(content, bytes) else str(content))
                for path, content in files.items()
            ],
            commit_message=f"{report.stage} on {report.data} ({report.data_fingerprint[:12]})",
            parent_commit=info.sha,
        )  # fmt: skip
    except LocalTokenNotFoundError as error:
        raise HubError(
            "No Hub token. Log in with `hf auth login`, or set HF_TOKEN to a token that may write."
        ) from error
    except (HfHubHTTPError, HFValidationError) as error:
        raise HubError(f"The Hub refused the push to {repo}: {error}") from error
    except HTTPError as error:
        raise unreachable(error) from error
    return PublishedModel(name, commit.oid, str(commit.commit_url))


def _made(api: Any, repo: str, private: bool) -> str:
    """The full id of a repository, which is made where it is missing."""
    from huggingface_hub.errors import HfHubHTTPError

    from ultrainteract.hub.client import retried, status_of

    try:
        return str(api.create_repo(repo, private=private or None).repo_id)
    except HfHubHTTPError as error:
        if status_of(error) != 409:
            raise
    return repo if "/" in repo else f"{retried(api.whoami)['name']}/{repo}"


def _public(report: TrainReport) -> Any:
    return report.plan.model_copy(update={"start": public_name(report.plan.start)})
