"""The dataset card: complete metadata for the Hub, and a body that says what the data is and is not.

What the program writes stands between two markers. Everything else in an existing card is its owner's: it is
kept word for word, and so is metadata that the program does not manage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from ultrainteract.config import PublishConfig
from ultrainteract.dataset.info import RunInfo
from ultrainteract.errors import HubError
from ultrainteract.exporting.registry import EXPORTERS

BEGIN = "<!-- ultrainteract:begin (written by the program; text outside these markers is kept) -->"
END = "<!-- ultrainteract:end -->"
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"),
          (10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M"))  # fmt: skip


@dataclass(frozen=True)
class SplitFiles:
    """One split of one configuration, as it is published."""

    config: str
    """Configuration name: the export's."""
    split: str
    """Split name."""
    pattern: str
    """Glob of its files in the repository."""
    rows: int
    """Rows."""
    download_bytes: int
    """Bytes of its files."""
    data_bytes: int
    """Bytes of its data, uncompressed."""
    features: Sequence[Any]
    """`datasets.Features` in the card's form."""


def render_card(
    repo: str,
    splits: Sequence[SplitFiles],
    info: RunInfo,
    figures: Mapping[str, Any],
    config: PublishConfig,
    pictures: Sequence[str] = (),
    existing: str | None = None,
) -> str:
    """Writes the whole card.

    Args:
        repo: The dataset's id.
        splits: What is published.
        info: The run.
        figures: `Statistics.to_json()`.
        config: Title, licence, language, tags, terms.
        pictures: Figures in the repository.
        existing: The card that is there now.

    Raises:
        HubError: The existing card's metadata is not valid YAML.
    """
    metadata, own = _taken_apart(existing or "")
    foreign = bool(existing) and BEGIN not in str(existing)
    title = config.title or metadata.get("pretty_name") or repo.rsplit("/", 1)[-1]
    licences = _licences(info, figures, config)
    header = _metadata(metadata, splits, info, config, str(title), licences)
    if foreign and config.licence is None and metadata.get("license"):
        header["license"] = metadata["license"]  # its owner's word, not an earlier push of ours
    body = "\n".join(
        [BEGIN, "", *_body(repo, str(title), splits, info, figures, config, licences, pictures), END]
    )
    before, after = own
    text = "\n\n".join(part for part in (before.strip("\n"), body, after.strip("\n")) if part)
    front = yaml.safe_dump(header, sort_keys=False, allow_unicode=True, width=1000)
    return f"---\n{front}---\n\n{text}\n"


def _taken_apart(card: str) -> tuple[dict[str, Any], tuple[str, str]]:
    """Metadata of a card, and its owner's text before and after the program's part."""
    metadata: dict[str, Any] = {}
    body = card
    if card.startswith("---\n") and "\n---" in card[3:]:
        front, _, body = card[4:].partition("\n---")
        try:
            metadata = yaml.safe_load(front) or {}
        except yaml.YAMLError as error:
            raise HubError(
                f"The existing card's metadata is not valid YAML: {error}. Correct it on the Hub first."
            ) from error
        if not isinstance(metadata, dict):
            raise HubError("The existing card's metadata is not a mapping. Correct it on the Hub first.")
    before, found, rest = body.partition(BEGIN)
    if not found:
        return metadata, (body, "")
    return metadata, (before, rest.partition(END)[2])


# ----------------------------------------------------------------------------------------------- metadata


def _metadata(
    existing: dict[str, Any], splits: Sequence[SplitFiles], info: RunInfo, config: PublishConfig, title: str,
    licences: list[str],
) -> dict[str, Any]:  # fmt: skip
    tags = ["ultrainteract", "preference", "reasoning", "synthetic", "dpo", *config.tags]
    if info.simulated:
        tags.append("simulated")
    kept_tags = [tag for tag in existing.get("tags") or () if tag != "simulated"]
    ours: dict[str, Any] = {
        "pretty_name": title,
        "language": list(config.language),
        "license": licences[0] if len(licences) == 1 else licences,
        "task_categories": ["text-generation"],
        "tags": list(dict.fromkeys([*kept_tags, *tags])),
        "size_categories": [_size(max((split.rows for split in splits), default=0))],
        "configs": _configs(splits, existing.get("configs") or []),
        "dataset_info": _dataset_info(splits, existing.get("dataset_info") or []),
    }
    return {**existing, **ours}


def _configs(splits: Sequence[SplitFiles], existing: Any) -> list[dict[str, Any]]:
    """The card's configurations: the owner's own ones, then ours; exactly one is the default."""
    entries = [entry for entry in existing if entry.get("config_name") not in EXPORTERS]
    has_default = any(entry.get("default") or entry.get("config_name") == "default" for entry in entries)
    for name in dict.fromkeys(split.config for split in splits):
        entry: dict[str, Any] = {
            "config_name": name,
            "data_files": [{"split": s.split, "path": s.pattern} for s in splits if s.config == name],
        }
        if not has_default:
            entry["default"] = has_default = True
        entries.append(entry)
    return entries


def _dataset_info(splits: Sequence[SplitFiles], existing: Any) -> list[dict[str, Any]]:
    listed = [existing] if isinstance(existing, dict) else list(existing)
    entries = [entry for entry in listed if entry.get("config_name", "default") not in EXPORTERS]
    for name in dict.fromkeys(split.config for split in splits):
        mine = [split for split in splits if split.config == name]
        entries.append(
            {
                "config_name": name,
                "features": list(mine[0].features),
                "splits": [
                    {"name": s.split, "num_bytes": s.data_bytes, "num_examples": s.rows} for s in mine
                ],
                "download_size": sum(s.download_bytes for s in mine),
                "dataset_size": sum(s.data_bytes for s in mine),
            }
        )
    return entries


def _size(rows: int) -> str:
    return next((name for bound, name in _SIZES if rows < bound), "n>100M")


def _licences(info: RunInfo, figures: Mapping[str, Any], config: PublishConfig) -> list[str]:
    """Licences as the Hub spells them: the user's word, or else all of the seeds'; `other` stands for unknown ones."""
    if config.licence:
        return [config.licence]
    named = {row["licence"] for row in figures["licences"]} | set(info.licences.values())
    known = {"other" if name in ("unknown", "") else name.lower() for name in named}
    return sorted(known) or ["other"]


# --------------------------------------------------------------------------------------------------- body


def _body(
    repo: str, title: str, splits: Sequence[SplitFiles], info: RunInfo, figures: Mapping[str, Any],
    config: PublishConfig, licences: list[str], pictures: Sequence[str],
) -> list[str]:  # fmt: skip
    lines = [f"# {title}", ""]
    if info.simulated:
        lines += [
            "> **Simulated data.** Actions and critiques were written by a simulated model, not by a language model. "
            "They show the format and exercise tools; do not train on them.",
            "",
        ]
    lines += [
        f"{figures['trees']:,} preference trees with {figures['pairs']:,} pairs and {figures['correct']:,} correct actions, "
        "in the UltraInteract layout. An actor attempts each problem, an environment checks the attempt, a critic comments on a wrong "
        "one, and the next turn goes on from there. Each pair has a proved-correct and a proved-wrong action at the same turn "
        "with the same history.",
        "",
        "## Contents", "",
        *_table(["configuration", "split", "rows", "columns"],
                [[f"`{s.config}`", s.split, f"{s.rows:,}", ", ".join(f"`{f['name']}`" for f in s.features)] for s in splits]),
        "", "## How to load", "", "```python", "from datasets import load_dataset", "",
        *(f'{name.replace("-", "_")} = load_dataset("{repo}", "{name}")' for name in dict.fromkeys(s.config for s in splits)),
        "```", "",
        *_statistics(figures), *(f"![{name.rsplit('/', 1)[-1].removesuffix('.png')}]({name})" for name in pictures),
        *([""] if pictures else []), *_method(figures), *_models(info, figures, config), *_licence(figures, licences),
        *_decontamination(info), *_limits(info, figures),
        "## Citation", "", "The method and the layout are those of:", "", "```bibtex",
        "@article{yuan2024advancing,", "  title = {Advancing {LLM} Reasoning Generalists with Preference Trees},",
        "  author = {Yuan, Lifan and Cui, Ganqu and Wang, Hanbin and others},", "  journal = {arXiv preprint arXiv:2404.02078},",
        "  year = {2024}", "}", "```", "", "## Provenance", "",
        f"Made with ultrainteract {info.version}; run `{info.name}`, fingerprint `{info.fingerprint}`. `run.json` holds the whole "
        "configuration, `stats.json` all figures.", "",
    ]  # fmt: skip
    return lines


def _statistics(figures: Mapping[str, Any]) -> list[str]:
    cap = max([5, *(int(turn) for row in figures["table1"] for turn in row["trajectories"])])
    ends = [f"T{turn}" for turn in range(1, cap + 1)]
    table1 = [
        [row["task"], "yes" if row["interaction"] else "no", "yes" if row["tool"] else "no", f"{row['instructions']:,}",
         *(f"{row['trajectories'].get(str(turn), 0):,}" for turn in range(1, cap + 1)),
         _figure(row["tokens_per_trajectory"]), f"{row['pairs']:,}", f"{row['correct']:,}"]
        for row in figures["table1"]
    ]  # fmt: skip
    table7 = [
        [row["task"], row["dataset"], f"{row['prompts']:,}", f"{row['pairs']:,}", f"{row['correct']:,}",
         _figure(row["tokens_per_trajectory"])]
        for row in figures["table7"]
    ]  # fmt: skip
    critiques, copies = figures["critiques"], figures["duplicates"]
    return [
        "## Statistics", "", f"Trajectories by the turn they end at (T1, T2 …); tokens are {figures['tokenizer']}.", "",
        *_table(["task", "interaction", "tool", "instructions", *ends, "tokens/trajectory", "pairs", "correct"], table1), "",
        *_table(["task", "dataset", "prompts", "pairs", "correct", "tokens/trajectory"], table7), "",
        f"- Chosen is the longer text in {_percent(figures['chosen_longer_share'])} of the pairs; both sides were written by the "
        f"same model in {_percent(figures['same_model_share'])}.",
        f"- {critiques['leaked']:,} of {critiques['total']:,} critiques gave the answer away at first; "
        f"{critiques['asked_again']:,} were asked for again, {critiques['redacted']:,} redacted.",
        f"- Duplicates: {copies['prompts']:,} prompts, {copies['pairs']:,} pairs, {copies['responses']:,} responses.",
        f"- Mean reliability of the evidence: {_figure(figures['mean_reliability'], 3)}.", "",
    ]  # fmt: skip


def _method(figures: Mapping[str, Any]) -> list[str]:
    checks: dict[str, int] = {}
    for row in figures["evidence"]:
        checks[row["check"]] = checks.get(row["check"], 0) + row["actions"]
    listed = ", ".join(f"{check} ({count:,})" for check, count in sorted(checks.items())) or "none"
    return [
        "## Method", "",
        "At each turn a correct action is looked for by sampling from the actor, then from stronger models, at last with the "
        "ground truth as a guide; an incorrect one comes from the actor or from a pool of other models. Every label was decided by a check of the answer. "
        f"Checks that decided, with the number of actions: {listed}. Actions that no check could decide are in no pair.", "",
    ]  # fmt: skip


def _models(info: RunInfo, figures: Mapping[str, Any], config: PublishConfig) -> list[str]:
    texts: dict[str, dict[str, int]] = {}
    for row in figures["models"]:
        texts.setdefault(row["model"], {})[row["role"]] = row["texts"]
    for role, model in info.models.items():
        texts.setdefault(model, {}).setdefault(role, 0)
    rows = [
        [f"`{model}`", ", ".join(f"{role} ({count:,})" if count else role for role, count in sorted(roles.items())),
         config.model_terms.get(model, "not stated here: see the model's licence or its provider's terms")]
        for model, roles in sorted(texts.items())
    ]  # fmt: skip
    return ["## Models", "", "Texts kept of each model, and what its terms say of outputs.", "",
            *_table(["model", "roles (texts)", "terms"], rows), ""]  # fmt: skip


def _licence(figures: Mapping[str, Any], licences: list[str]) -> list[str]:
    rows = [[row["dataset"], row["licence"], f"{row['trees']:,}"] for row in figures["licences"]]
    return ["## Licence", "", f"{', '.join(licences)}. Licences of the seed data:", "",
            *_table(["dataset", "licence", "trees"], rows), ""]  # fmt: skip


def _decontamination(info: RunInfo) -> list[str]:
    selection = info.config.get("selection") or {}
    benchmarks = selection.get("decontaminate") or []
    if benchmarks:
        said = f"Instructions that share a {selection.get('ngram', 8)}-gram with these were removed: {', '.join(benchmarks)}."
    else:
        said = "No decontamination against benchmarks is recorded for this set."
    return ["## Decontamination", "", said, ""]


def _limits(info: RunInfo, figures: Mapping[str, Any]) -> list[str]:
    published = any(row["check"] == "published" for row in figures["evidence"])
    limits = [
        "- A label says that the final answer is right or wrong, not that every step is.",
        "- Critiques were written by a model that knew the answer; they can be mistaken.",
        "- Guided actions were written with the ground truth in view and may read unlike the model's own.",
        "- `trees` carries gold answers and tests; keep it away from models that are to be measured on these problems.",
    ]
    if published:
        limits.append(
            "- Some rows were imported: their labels are those of the source and were not checked again."
        )
    return ["## Known limits", "", *limits, ""]


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *cells)]


def _figure(value: float | None, digits: int = 1) -> str:
    return "unknown" if value is None else f"{value:,.{digits}f}"


def _percent(value: float | None) -> str:
    return "an unknown share" if value is None else f"{value:.1%}"
