"""Every export by its name: which columns it has, and how a tree becomes its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ultrainteract.config import ExportConfig
from ultrainteract.config.problems import did_you_mean
from ultrainteract.dataset.published import PAIR_COLUMNS, SFT_COLUMNS
from ultrainteract.dataset.samples import Demonstration, Preference, demonstrations, preferences
from ultrainteract.dataset.tree_table import TREE_COLUMNS, tree_rows
from ultrainteract.errors import ConfigError
from ultrainteract.exporting.formats import axolotl, llama_factory, openrlhf, trl, ultrainteract
from ultrainteract.exporting.formats.reward import reward_samples
from ultrainteract.schema import Tree

Row = dict[str, Any]
Render = Callable[[Any], Iterable[Row]]


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
    kind: Literal["tree", "demonstration", "preference"] = "tree"
    """What a row is made of; samples of another dataset can be mixed into the last two."""
    render: Render | None = None
    """The rows of a sample, where rows are made of samples."""
    levels: tuple[str, ...] = ("turn",)
    """Values of `ExportConfig.level` that fit."""
    histories: tuple[str, ...] = ("bare", "flat", "turns")
    """Values of `ExportConfig.sft_history` that fit."""


def _sft(tree: Tree, config: ExportConfig) -> Iterable[Row]:
    return ultrainteract.sft_rows(
        tree, config.sft, with_history=config.sft_history == "flat", keep=config.filter
    )


def _pair(tree: Tree, config: ExportConfig) -> Iterable[Row]:
    return ultrainteract.pair_rows(
        tree, config.pairs, with_history=config.pair_history == "full", keep=config.filter
    )


def _single(tree: Tree, config: ExportConfig) -> Iterable[Row]:
    return ultrainteract.pair_rows(tree, config.pairs, with_history=False, keep=config.filter)


def _demonstrating(
    name: str, summary: str, columns: Mapping[str, str], render: Callable[[Demonstration], Iterator[Row]],
    histories: tuple[str, ...] = ("bare", "flat", "turns"),
) -> Exporter:  # fmt: skip
    def rows(tree: Tree, config: ExportConfig) -> Iterator[Row]:
        for sample in demonstrations(tree, config):
            yield from render(sample)

    return Exporter(name, summary, columns, rows, "demonstration", render, histories=histories)


def _preferring(
    name: str, summary: str, columns: Mapping[str, str], render: Callable[[Preference], Iterator[Row]],
    levels: tuple[str, ...] = ("turn",), samples: Callable[[Tree, ExportConfig], Iterator[Preference]] = preferences,
) -> Exporter:  # fmt: skip
    def rows(tree: Tree, config: ExportConfig) -> Iterator[Row]:
        for sample in samples(tree, config):
            yield from render(sample)

    return Exporter(name, summary, columns, rows, "preference", render, levels=levels)


_BOTH = ("turn", "trajectory")
_ONE_TEXT = ("bare", "flat")
_ALL = (
    Exporter("sft", "UltraInteract SFT: every correct action", SFT_COLUMNS, _sft, histories=_ONE_TEXT),
    Exporter("pair", "UltraInteract pairs, with the turns before them", PAIR_COLUMNS, _pair),
    Exporter("single-turn", "UltraInteract pairs without history", PAIR_COLUMNS, _single),
    Exporter("trees", "whole trees, nested", TREE_COLUMNS, lambda tree, _: tree_rows(tree)),
    _preferring("trl-preference", "TRL: prompt, chosen, rejected", trl.PREFERENCE_COLUMNS, trl.preference, _BOTH),
    _preferring("trl-implicit", "TRL: chosen, rejected (prompt inside)", trl.IMPLICIT_COLUMNS, trl.implicit),
    _preferring("trl-kto", "TRL: unpaired completions with a label", trl.KTO_COLUMNS, trl.kto, _BOTH),
    _demonstrating("trl-prompt-completion", "TRL SFT: prompt, completion", trl.PROMPT_COMPLETION_COLUMNS,
                   trl.prompt_completion),
    _demonstrating("trl-messages", "TRL SFT: messages", trl.MESSAGES_COLUMNS, trl.chat, _ONE_TEXT),
    Exporter("trl-stepwise", "TRL: a trajectory's actions, each labelled", trl.STEPWISE_COLUMNS, trl.stepwise_rows),
    _preferring("reward", "reward model: pairs and pairs across turns (appendix B)", trl.REWARD_COLUMNS, trl.reward,
                samples=reward_samples),
    _preferring("llama-factory-ranking", "LLaMA-Factory: dpo and rm", llama_factory.RANKING_COLUMNS,
                llama_factory.ranking),
    _preferring("llama-factory-kto", "LLaMA-Factory: kto", llama_factory.KTO_COLUMNS, llama_factory.kto),
    _demonstrating("llama-factory-sft", "LLaMA-Factory: sft", llama_factory.SFT_COLUMNS, llama_factory.sft),
    _preferring("openrlhf-preference", "OpenRLHF: dpo and rm", trl.PREFERENCE_COLUMNS, trl.preference),
    _preferring("openrlhf-kto", "OpenRLHF: kto", openrlhf.KTO_COLUMNS, openrlhf.kto),
    _demonstrating("openrlhf-sft", "OpenRLHF: sft", trl.PROMPT_COMPLETION_COLUMNS, trl.prompt_completion),
    _preferring("axolotl-dpo", "axolotl: dpo, chat_template.default", axolotl.DPO_COLUMNS, axolotl.dpo),
    _preferring("axolotl-kto", "axolotl: kto, chatml.ultra or llama3.ultra", axolotl.KTO_COLUMNS, axolotl.kto),
    _demonstrating("axolotl-sft", "axolotl: sft, chat_template", axolotl.SFT_COLUMNS, axolotl.sft),
)  # fmt: skip
EXPORTERS: Mapping[str, Exporter] = {exporter.name: exporter for exporter in _ALL}


def exporters(config: ExportConfig) -> list[Exporter]:
    """The exporters that `config` names, checked against its other settings.

    Raises:
        ConfigError: A name is unknown or repeated, or a setting does not apply to one of them.
    """
    unknown = [name for name in config.formats if name not in EXPORTERS]
    if unknown:
        near = did_you_mean(unknown[0], EXPORTERS)
        raise ConfigError(f"No export is called '{unknown[0]}'{near} (there are: {', '.join(EXPORTERS)}).")
    if len(set(config.formats)) != len(config.formats) or not config.formats:
        raise ConfigError("export.formats: name at least one format, and each only once.")
    chosen = [EXPORTERS[name] for name in config.formats]
    for exporter in chosen:
        if exporter.kind != "demonstration" and exporter.name != "sft":
            fits = exporter.kind != "preference" or config.level in exporter.levels
            setting, allowed = "level", exporter.levels
        else:
            fits = config.sft_history in exporter.histories
            setting, allowed = "sft_history", exporter.histories
        if not fits:
            raise ConfigError(
                f"export.{setting} '{getattr(config, setting)}' does not fit the format `{exporter.name}`, which takes "
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
    from ultrainteract.dataset.samples import tree_passes

    config = (config or ExportConfig()).model_copy(update={"formats": (name,)})
    (exporter,) = exporters(config)
    for tree in trees:
        if tree_passes(tree, config.filter):
            yield from exporter.rows(tree, config)
