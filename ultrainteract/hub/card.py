"""The dataset card: complete metadata for the Hub, and a body that says what the data is and is not.

What the program writes stands between two markers, made from a template. In the metadata it changes only what it wrote
itself, which it knows from the list that the last push left in `run.json`, or what the configuration states outright:
everything else is its owner's, at the first and at every later push.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from ultrainteract.config import ExportConfig, PublishConfig
from ultrainteract.config.licenses import hub_license, license_name
from ultrainteract.dataset.info import PublishedFiles, RunInfo
from ultrainteract.errors import HubError
from ultrainteract.exporting.registry import known_exporters
from ultrainteract.hub.front_matter import LAST_WORDS, listed, plain, put_together, take_apart
from ultrainteract.models.terms import terms_of
from ultrainteract.schema import JUDGED, TreeState
from ultrainteract.statistics.figures import Figures
from ultrainteract.statistics.lengths import too_long

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"),
          (10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M"))  # fmt: skip
_TERMS_UNKNOWN = "not stated here: see the model's license or its provider's terms"


@dataclass(frozen=True)
class SplitFiles:
    """One split of one configuration, as it is published."""

    config: str
    """Configuration name: the export's."""
    split: str
    """Split name."""
    pattern: str
    """Glob of its files in the repository."""
    files: tuple[str, ...]
    """Its files in the repository."""
    rows: int
    """Rows."""
    download_bytes: int
    """Bytes of its files."""
    data_bytes: int
    """Bytes of its data, uncompressed."""
    features: Sequence[Any]
    """`datasets.Features` in the card's form."""


@dataclass(frozen=True)
class CardData:
    """What a card is made of."""

    splits: Sequence[SplitFiles]
    """What is published."""
    info: RunInfo
    """The run."""
    figures: Figures
    """Its figures."""
    pictures: Sequence[str] = ()
    """Plots in the repository."""
    found: Mapping[str, int] = field(default_factory=dict)
    """Mail addresses (`email`) and telephone numbers (`phone`) found in the files."""

    @property
    def configs(self) -> list[str]:
        """Names of the configurations, in order."""
        return list(dict.fromkeys(split.config for split in self.splits))


def render_card(
    data: CardData,
    repo: str,
    config: PublishConfig,
    existing: str = "",
    previous: PublishedFiles | None = None,
    others: Sequence[str] = (),
) -> tuple[str, dict[str, Any]]:
    """Writes the whole card.

    Args:
        data: What is published.
        repo: The dataset's id.
        config: Title, license, language, tags, terms.
        existing: The card that is there now.
        previous: What the last push put there; None where there was none.
        others: Files of others in the repository.

    Returns:
        The card, and the metadata that the program wrote into it.

    Raises:
        HubError: The existing card's metadata is no valid YAML, or a configuration of its owner's has a name of ours.
    """
    card = take_apart(existing)
    before = previous or PublishedFiles(files=())
    title = str(config.title or card.metadata.get("pretty_name") or repo.rsplit("/", 1)[-1])
    ours = _metadata(data, config, title)
    owners_license = card.metadata.get("license")
    if (
        owners_license is not None
        and plain(owners_license) != before.metadata.get("license")
        and not config.license
    ):
        for name in ("license", "license_name", "license_link"):
            ours.pop(name, None)
    written = _merge(card.metadata, ours, before.metadata, _stated(config))
    written["tags"] = _merge_tags(card.metadata, _tags(data, config), before.metadata.get("tags") or [])
    _set(card.metadata, "configs", _configs(data, card.metadata.get("configs"), before.configs, others))
    _set(
        card.metadata, "dataset_info", _dataset_info(data, card.metadata.get("dataset_info"), before.configs)
    )
    license = ", ".join(map(str, listed(card.metadata.get("license")))) or "other"
    return put_together(card, _body(data, repo, title, config, license)), written


# ----------------------------------------------------------------------------------------------- metadata


def _metadata(data: CardData, config: PublishConfig, title: str) -> dict[str, Any]:
    """The fields that the program writes where their owner has not."""
    fields: dict[str, Any] = {"pretty_name": title, "language": list(config.language)}
    if config.license:
        fields["license"] = config.license
        fields |= {"license_name": config.license_name} if config.license_name else {}
        fields |= {"license_link": config.license_link} if config.license_link else {}
    else:
        stated = {row.license for row in data.figures.licenses} | set(data.info.licenses.values())
        known = sorted({hub_license(name) or "other" for name in stated - {"unknown", ""}} or {"other"})
        if stated & {"unknown", ""} and "other" not in known:
            known.append("other")
        fields["license"] = known[0] if len(known) == 1 else known
        unknown = sorted(
            license_name(name) for name in stated - {"unknown", ""} if hub_license(name) in (None, "other")
        )
        if "other" in known and unknown:
            fields["license_name"] = "-and-".join(dict.fromkeys(unknown))
    fields["task_categories"] = ["text-generation"]
    fields["size_categories"] = [_size(max((split.rows for split in data.splits), default=0))]
    return fields


def _stated(config: PublishConfig) -> set[str]:
    """The fields that the configuration states outright, and which go before their owner's."""
    found = {name for name in ("license", "license_name", "license_link") if getattr(config, name)}
    found |= {"pretty_name"} if config.title else set()
    return found | ({"language"} if "language" in config.model_fields_set else set())


def _merge(
    metadata: Any, ours: Mapping[str, Any], before: Mapping[str, Any], stated: set[str]
) -> dict[str, Any]:
    """Sets our fields where they are absent, ours already, or stated; returns those that are ours now."""
    written: dict[str, Any] = {}
    for name, value in ours.items():
        is_ours = name not in metadata or (name in before and plain(metadata[name]) == before[name])
        if is_ours or name in stated:
            _set(metadata, name, value)
            written[name] = value
    for name, value in before.items():
        if name not in ours and name != "tags" and name in metadata and plain(metadata[name]) == value:
            del metadata[name]
    return written


def _set(metadata: Any, name: str, value: Any) -> None:
    if name not in metadata or plain(metadata[name]) != plain(value):
        metadata[name] = value


def _tags(data: CardData, config: PublishConfig) -> list[str]:
    simulated = ["simulated"] if data.info.simulated else []
    return list(
        dict.fromkeys(
            ["ultrainteract", "preference", "reasoning", "synthetic", "dpo", *config.tags, *simulated]
        )
    )


def _merge_tags(metadata: Any, ours: Sequence[str], before: Sequence[str]) -> list[str]:
    """Adds our tags to the owner's in place; returns those that are there because of us."""
    present = metadata.get("tags")
    tags = present if isinstance(present, list) else listed(present)
    owners = [str(tag) for tag in tags if str(tag) not in before]
    for number in range(len(tags) - 1, -1, -1):
        if str(tags[number]) in before and str(tags[number]) not in ours:
            del tags[number]
    there = {str(tag) for tag in tags}
    tags += [tag for tag in ours if tag not in there]
    if tags is not present:
        metadata["tags"] = tags
    return [tag for tag in ours if tag not in owners]


def _configs(data: CardData, existing: Any, before: Sequence[str], others: Sequence[str]) -> list[Any]:
    """The card's configurations: the owner's, then ours; exactly one is the default."""
    entries = [entry for entry in listed(existing) if entry.get("config_name") not in before]
    taken = {str(entry.get("config_name")) for entry in entries} & set(data.configs)
    if taken:
        raise HubError(
            f"The card has a configuration '{min(taken)}' that no push of this program made. Rename it there, or "
            "publish to another dataset."
        )
    has_default = any(entry.get("default") or entry.get("config_name") == "default" for entry in entries)
    for name in data.configs:
        splits = [split for split in data.splits if split.config == name]
        entry: dict[str, Any] = {
            "config_name": name,
            "data_files": [{"split": split.split, "path": _path(split, others)} for split in splits],
        }
        if not has_default:
            entry["default"] = has_default = True
        entries.append(entry)
    return entries


def _path(split: SplitFiles, others: Sequence[str]) -> str | list[str]:
    """A split's pattern, or its files one by one where the pattern would take in a file of others."""
    from fnmatch import fnmatch

    return list(split.files) if any(fnmatch(other, split.pattern) for other in others) else split.pattern


def _dataset_info(data: CardData, existing: Any, before: Sequence[str]) -> list[Any]:
    entries = [entry for entry in listed(existing) if entry.get("config_name", "default") not in before]
    for entry in entries:
        entry.setdefault("config_name", "default")
    for name in data.configs:
        mine = [split for split in data.splits if split.config == name]
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


# --------------------------------------------------------------------------------------------------- body


def _body(data: CardData, repo: str, title: str, config: PublishConfig, license: str) -> str:
    figures, info = data.figures, data.info
    cap = max([5, *(turn for row in figures.table1 for turn in row.trajectories)])
    checks: Counter[str] = Counter()
    for row in figures.evidence:
        checks[row.check] += row.actions
    known = known_exporters()
    settings = ExportConfig.model_validate(info.export or {})
    selection = info.config.get("selection") or {}
    return str(
        _template().render(
            title=title, repo=repo, info=info, figures=figures, pictures=data.pictures, license=license,
            configs=data.configs, found=Counter(data.found), last_words=LAST_WORDS, too_long=too_long(figures),
            notes=[note for name in data.configs if name in known for note in known[name].notes(settings)],
            contents=[
                [f"`{s.config}`", s.split, _count(s.rows), ", ".join(f"`{f['name']}`" for f in s.features)]
                for s in data.splits
            ],
            ends=[f"T{turn}" for turn in range(1, cap + 1)],
            table1=[
                [row.task, "yes" if row.interaction else "no", "yes" if row.tool else "no", _count(row.instructions),
                 *(_count(row.trajectories.get(turn, 0)) for turn in range(1, cap + 1)),
                 _figure(row.tokens_per_trajectory), _count(row.pairs), _count(row.correct)]
                for row in figures.table1
            ],
            table7=[
                [row.task, row.dataset, _count(row.prompts), _count(row.pairs), _count(row.correct),
                 _figure(row.tokens_per_trajectory)]
                for row in figures.table7
            ],
            checks=", ".join(f"{check} ({count:,})" for check, count in sorted(checks.items())),
            curation=info.config.get("curation"),
            judged=" and ".join(f"`{check}`" for check in sorted(JUDGED & set(checks))),
            unlabelled=figures.states.get(TreeState.UNLABELLED, 0),
            models=_models(info, figures, config),
            licenses=[[row.dataset, row.license, _count(row.trees)] for row in figures.licenses],
            benchmarks=selection.get("decontaminate") or [], ngram=selection.get("ngram", 8),
            imported=any(row.check == "published" for row in figures.evidence),
        )
    )  # fmt: skip


@cache
def _template() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("ultrainteract.hub"), undefined=StrictUndefined, autoescape=False  # it is Markdown
    )  # fmt: skip
    environment.globals.update(count=_count, figure=_figure, share=_share)
    return environment.get_template("card.md.jinja")


def _models(info: RunInfo, figures: Figures, config: PublishConfig) -> list[list[str]]:
    """(model, roles with texts, terms) of every model."""
    texts: dict[str, dict[str, int]] = {}
    for row in figures.models:
        texts.setdefault(row.model, {})[row.role] = row.texts
    for role, model in info.models.items():
        texts.setdefault(model, {}).setdefault(role, 0)
    rows = []
    for model, roles in sorted(texts.items()):
        said = ", ".join(f"{role} ({count:,})" if count else role for role, count in sorted(roles.items()))
        known = terms_of(model)
        rows.append(
            [
                f"`{model}`",
                said,
                config.model_terms.get(model) or (known.summary if known else _TERMS_UNKNOWN),
            ]
        )
    return rows


def _count(value: int) -> str:
    return f"{value:,}"


def _figure(value: float | None, digits: int = 1) -> str:
    return "unknown" if value is None else f"{value:,.{digits}f}"


def _share(value: float | None) -> str:
    return "an unknown share" if value is None else f"{value:.1%}"
