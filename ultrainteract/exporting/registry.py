"""Every export by its name: which columns it has, how a tree becomes its rows, and how others add their own.

An export is one function, registered by the `exporter` decorator: from a pair, from a correct action, or from a whole
tree, to rows. Other packages bring theirs through the entry-point group `ultrainteract.exporters`: each entry names a
module, which is imported for its decorators, or a decorated function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from ultrainteract.config import ExportConfig
from ultrainteract.dataset.marks import without_marked
from ultrainteract.dataset.samples import demonstrations, preferences, tree_passes
from ultrainteract.errors import ConfigError
from ultrainteract.exporting.order import problem_of, spread
from ultrainteract.registry import Registry
from ultrainteract.schema import Tree

GROUP = "ultrainteract.exporters"
"""Entry-point group of plugins."""
FIRST = ("sft", "pair", "single-turn", "trees")
"""Exports that are listed and published before all others."""

LEVELS = ("turn", "trajectory")
"""All values of `ExportConfig.level`."""
HISTORIES = ("bare", "flat", "turns")
"""All values of `ExportConfig.sft_history`."""

Row = dict[str, Any]
Kind = Literal["tree", "demonstration", "preference"]
Render = Callable[..., Iterable[Row]]
R = TypeVar("R", bound=Render)


@dataclass(frozen=True)
class Exporter:
    """One export format."""

    name: str
    """What `--format` takes; also the folder, and the configuration's name on the Hub."""
    summary: str
    """One line for a reader."""
    columns: Mapping[str, str]
    """Type names by column name (see `columns.arrow_types`), in order."""
    rows: Callable[[Tree, ExportConfig], Iterable[Row]]
    """The rows of a tree."""
    kind: Kind
    """What a row is made of; samples of another dataset can be mixed into the last two."""
    render: Render
    """The decorated function."""
    levels: tuple[str, ...]
    """Values of `ExportConfig.level` that fit."""
    histories: tuple[str, ...]
    """Values of `ExportConfig.sft_history` that fit."""
    spread: bool
    """Whether rows of one problem are kept apart (see `exporting.order`)."""
    folders: bool
    """Whether its reader wants a folder for each split, rather than split names in the files' names."""
    index: Callable[[Sequence[str]], Mapping[str, Any]] | None
    """Entries of `dataset_info.json` for the splits that were written; None where its reader has no such file."""
    retired: str
    """Why no current trainer reads it; empty where one does."""
    reasoning: bool
    """Whether `export.reasoning: column` adds columns to it."""

    def notes(self, config: ExportConfig) -> list[str]:
        """What somebody who trains on this export has to know beside its columns."""
        found = [self.retired] if self.retired else []
        if self.kind == "preference" and config.level == "trajectory":
            found.append(
                "at level 'trajectory' everything after the instruction is learned: wrong actions and critiques too"
            )
        return [f"{self.name}: {note}." for note in found]


_EXPORTERS: Registry[Exporter] = Registry("export", GROUP, "ultrainteract.exporting.formats")


def exporter(
    name: str,
    *,
    kind: Kind,
    columns: Mapping[str, str],
    summary: str = "",
    samples: Callable[[Tree, ExportConfig], Iterator[Any]] | None = None,
    levels: tuple[str, ...] = LEVELS,
    histories: tuple[str, ...] = HISTORIES,
    spread: bool = False,
    folders: bool = False,
    index: Callable[[Sequence[str]], Mapping[str, Any]] | None = None,
    retired: str = "",
    reasoning: bool = True,
) -> Callable[[R], R]:
    """Registers an export.

    Args:
        name: What `--format` takes.
        kind: What the function is given: a `Preference`, a `Demonstration`, or for `tree` a tree and the settings.
        columns: Type names by column name (keys of `columns.arrow_types()`), in order.
        summary: One line for a reader; the first line of the function's docstring if empty.
        samples: Where the samples come from; the pairs or the correct actions that the settings select if None.
        levels: Values of `export.level` that fit; a pair's two sides hold one message each unless `trajectory` fits.
        histories: Values of `export.sft_history` that fit.
        spread: Keep rows of one problem apart, for trainers that compare neighbouring rows (KTO).
        folders: Write a folder for each split.
        index: Makes the entries of `dataset_info.json` for the splits that were written.
        retired: Why no current trainer reads it.
        reasoning: Whether `export.reasoning: column` adds columns to it.

    Raises:
        ConfigError: Another export has this name.

    Example:
        ```python
        @exporter("better", kind="preference", columns={"better": "string"})
        def better(sample: Preference) -> Iterator[dict[str, str]]:
            "The chosen text alone."
            yield {"better": sample.chosen[-1][1]}
        ```
    """

    def register(render: R) -> R:
        draw = samples or (demonstrations if kind == "demonstration" else preferences)

        def sampled(tree: Tree, config: ExportConfig) -> Iterator[Row]:
            for sample in draw(tree, config):
                for row in render(sample):
                    yield row if config.reasoning != "column" else {**row, **_reasoning_columns(sample, row)}

        made_rows = render if kind == "tree" else sampled

        def unmarked(tree: Tree, config: ExportConfig) -> Iterable[Row]:
            marks = config.filter.marks
            return made_rows(tree if marks is None else without_marked(tree, marks), config)

        rows = made_rows if name == "trees" else unmarked
        said = summary or (render.__doc__ or "").strip().partition("\n")[0].rstrip(".")
        made = Exporter(
            name,
            said,
            columns,
            rows,
            kind,
            render,
            levels,
            histories,
            spread,
            folders,
            index,
            retired,
            reasoning,
        )
        _EXPORTERS.add(name, made, render)
        return render

    return register


def known_exporters() -> dict[str, Exporter]:
    """All exports by name, plugins included.

    Raises:
        ConfigError: A plugin fails to load.
    """
    found = _EXPORTERS.all()
    return {name: found[name] for name in FIRST} | found


def why_unknown(name: str) -> str:
    """What to say of a name that no export has; nothing where one has it.

    Raises:
        ConfigError: A plugin fails to load.
    """
    return _EXPORTERS.why_unknown(name)


_REASONING = {"reasoning": "string"}
_TWO_REASONINGS = {"chosen_reasoning": "string", "rejected_reasoning": "string"}


def _reasoning_columns(sample: Any, row: Row) -> Row:
    """The columns of `export.reasoning: column` for one row of a sample."""
    if not hasattr(sample, "chosen_reasoning"):
        return {"reasoning": sample.reasoning}
    label = next((row[name] for name in _LABELS if name in row), None)
    if label is None:
        return {"chosen_reasoning": sample.chosen_reasoning, "rejected_reasoning": sample.rejected_reasoning}
    return {"reasoning": sample.chosen_reasoning if label else sample.rejected_reasoning}


_LABELS = ("label", "kto_tag")
"""Columns that say which side of a pair a row holds, where pairs are taken apart."""


def _with_reasoning(exporter: Exporter, config: ExportConfig) -> Exporter:
    """The export with the columns of `export.reasoning: column`."""
    if config.reasoning != "column" or not exporter.reasoning:
        return exporter
    two = exporter.kind == "preference" and not any(name in exporter.columns for name in _LABELS)
    more = _TWO_REASONINGS if two or exporter.name in ("pair", "single-turn") else _REASONING
    return replace(exporter, columns={**exporter.columns, **more})


def chosen_exporters(config: ExportConfig) -> list[Exporter]:
    """The exports that `config` names, checked against its other settings.

    Raises:
        ConfigError: A name is unknown or repeated, or a setting does not apply to one of them.
    """
    if len(set(config.formats)) != len(config.formats) or not config.formats:
        raise ConfigError("export.formats: name at least one format, and each only once.")
    chosen = [_with_reasoning(_EXPORTERS.find(name, "export.formats"), config) for name in config.formats]
    for item in chosen:
        for setting, allowed in (("level", item.levels), ("sft_history", item.histories)):
            if getattr(config, setting) not in allowed:
                raise ConfigError(
                    f"export.{setting} '{getattr(config, setting)}' does not fit the format `{item.name}`, which takes "
                    f"{' or '.join(allowed)}."
                )
    return chosen


def export_rows(name: str, trees: Iterable[Tree], config: ExportConfig | None = None) -> Iterator[Row]:
    """The rows of one export, streamed, without writing anything.

    Args:
        name: Name of the export.
        trees: The trees.
        config: Selection and filters; its `formats` are not looked at.

    Raises:
        ConfigError: There is no such export, or the settings do not fit it.

    Example:
        >>> from ultrainteract.exporting.example import example_tree
        >>> sum(row["label"] for row in export_rows("trl-kto", [example_tree()]))
        2
    """
    config = (config or ExportConfig()).model_copy(update={"formats": (name,)})
    (chosen,) = chosen_exporters(config)
    rows = (
        (problem_of(tree), row)
        for tree in trees
        if tree_passes(tree, config.filter)
        for row in chosen.rows(tree, config)
    )
    yield from spread(rows) if chosen.spread else (row for _, row in rows)
