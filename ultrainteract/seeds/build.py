"""Builds the instruction set of a config and says what was kept and why the rest was not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import orjson

from ultrainteract.config import RuleConfig, RunConfig
from ultrainteract.errors import ConfigError
from ultrainteract.schema import SCHEMA_VERSION, Instruction, Record
from ultrainteract.seeds.loading import CONFLICT, SeedIssue, Tally, stream_instructions


class DatasetReport(Record):
    """What became of one dataset: `records - unusable` gave `instructions`, some of which were dropped."""

    dataset: str
    """Dataset."""
    records: int
    """Records read."""
    unusable: int
    """Records that gave no instruction."""
    instructions: int
    """Instructions made of the others, one for each task."""
    dropped: Mapping[str, int]
    """Instructions left out, by rule."""
    kept: Mapping[str, int]
    """Instructions kept, by task."""


class RuleReport(Record):
    """What one step of the selection let through."""

    rule: str
    """Name of the step."""
    came: int
    """Instructions that reached it."""
    dropped: int
    """Instructions it left out."""


class BuildReport(Record):
    """The report of a build."""

    schema_version: int = SCHEMA_VERSION
    """Version of this record's format."""
    datasets: tuple[DatasetReport, ...]
    """By dataset, in the order of the config."""
    rules: tuple[RuleReport, ...]
    """By step, in order."""
    reasons: Mapping[str, int]
    """Unusable records by reason, the most frequent first."""
    revisions: Mapping[str, str]
    """Commit that was read of each Hub dataset."""

    @property
    def kept(self) -> int:
        """Instructions kept, of all datasets."""
        return sum(sum(dataset.kept.values()) for dataset in self.datasets)

    @property
    def adds_up(self) -> bool:
        """Whether every instruction was kept or dropped by a rule, in every dataset and over all rules."""
        made = sum(dataset.instructions for dataset in self.datasets)
        return made - sum(rule.dropped for rule in self.rules) == self.kept and all(
            dataset.instructions == sum(dataset.dropped.values()) + sum(dataset.kept.values())
            for dataset in self.datasets
        )


def build(config: RunConfig, base: Path, out: Path | None = None) -> BuildReport:
    """Streams all instructions of a config, and writes them.

    Args:
        config: The configuration.
        base: Folder for relative paths: the config file's.
        out: Folder for `instructions.jsonl`, `issues.jsonl` and `report.json`; nothing is written if None.

    Raises:
        ConfigError: A dataset, rule or option is not known, or the folder cannot be written.
        SeedError: A source or benchmark cannot be read at all.
    """
    if out is None:
        return _report(config, *_drain(config, base, None, None))
    try:
        out.mkdir(parents=True, exist_ok=True)
        with (out / "instructions.jsonl").open("wb") as kept, (out / "issues.jsonl").open("wb") as issues:
            report = _report(config, *_drain(config, base, kept, issues))
        (out / "report.json").write_bytes(
            orjson.dumps(report.model_dump(mode="json"), option=orjson.OPT_INDENT_2)
        )
    except OSError as error:
        raise ConfigError(f"Cannot write to {out}: {error.strerror or error}.") from error
    return report


def _drain(
    config: RunConfig, base: Path, kept_file: IO[bytes] | None, issue_file: IO[bytes] | None
) -> tuple[Tally, Counter[tuple[str, str]], Counter[tuple[str, str]], Counter[str]]:
    tally = Tally()
    kept: Counter[tuple[str, str]] = Counter()
    dropped: Counter[tuple[str, str]] = Counter()
    reasons: Counter[str] = Counter()
    for item in stream_instructions(config, base, tally):
        if isinstance(item, Instruction):
            kept[item.dataset, item.task.value] += 1
            file = kept_file
        else:
            file = issue_file
            if item.kind == "dropped":
                dropped[item.dataset, item.rule] += 1
            else:
                reasons[_general(item)] += 1
        if file is not None:
            file.write(orjson.dumps(item.model_dump(mode="json"), option=orjson.OPT_APPEND_NEWLINE))
    return tally, kept, dropped, reasons


def _general(issue: SeedIssue) -> str:
    """The reason without what differs from record to record, so that reasons can be counted."""
    return f"{issue.dataset}: {issue.reason.partition(': ')[0].partition(' at ')[0]}"


def _report(
    config: RunConfig,
    tally: Tally,
    kept: Counter[tuple[str, str]],
    dropped: Counter[tuple[str, str]],
    reasons: Counter[str],
) -> BuildReport:
    datasets = tuple(
        DatasetReport(
            dataset=name,
            records=tally.records[name],
            unusable=tally.unusable[name],
            instructions=tally.instructions[name],
            dropped={rule: count for (dataset, rule), count in sorted(dropped.items()) if dataset == name},
            kept={task: count for (dataset, task), count in sorted(kept.items()) if dataset == name},
        )
        for name in tally.records
    )
    configured = [rule.name if isinstance(rule, RuleConfig) else rule for rule in config.selection.rules]
    steps = [
        "duplicate",
        CONFLICT,
        *configured,
        *(["decontaminate"] if config.selection.decontaminate else []),
    ]
    left = sum(tally.instructions.values())
    rules: list[RuleReport] = []
    for step in dict.fromkeys(steps):
        count = sum(number for (_, rule), number in dropped.items() if rule == step)
        rules.append(RuleReport(rule=step, came=left, dropped=count))
        left -= count
    return BuildReport(
        datasets=datasets,
        rules=tuple(rules),
        reasons=dict(reasons.most_common()),
        revisions=tally.revisions,
    )
