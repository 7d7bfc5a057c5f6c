"""From the sources of a config to the instructions that get a tree: one stream, in bounded memory.

Every record ends in exactly one place: it becomes instructions, or an issue with file, line and reason.
Every instruction is yielded or dropped by a named rule, so that the counts add up. The same config and files
give the same stream.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Literal

from ultrainteract.config import RunConfig, SeedConfig
from ultrainteract.errors import ConfigError
from ultrainteract.readers.files import BadRecord
from ultrainteract.readers.rows import Row, Unusable, shorten
from ultrainteract.readers.sources import read_rows, resolved
from ultrainteract.schema import Instruction, Record, Task, content_hash
from ultrainteract.seeds.problem import LETTERS
from ultrainteract.seeds.registry import Dataset, find_dataset
from ultrainteract.seeds.selection.decontaminate import Decontaminator
from ultrainteract.seeds.selection.rules import Rule, build_rules
from ultrainteract.tools import TOOLS
from ultrainteract.wording import ENGLISH, Wording, load_wording

CONFLICT = "conflicting_gold"
"""Name of the rule that drops a problem which was read before with another gold answer."""
_BATCH = 512
"""Instructions checked for contamination at once."""


class SeedIssue(Record):
    """A record that became no instruction, or an instruction that gets no tree, and why."""

    source: str
    """File and line of an unusable record; source id of a dropped instruction."""
    dataset: str
    """Dataset."""
    reason: str
    """Why, for a reader."""
    kind: Literal["unusable", "dropped"]
    """`unusable`: no instruction could be made of the record; `dropped`: a rule left the instruction out."""
    rule: str = ""
    """Name of the rule that dropped it."""


@dataclass
class Tally:
    """What was read, by dataset, while a stream ran; complete when the stream is."""

    records: Counter[str] = field(default_factory=Counter)
    """Records read."""
    unusable: Counter[str] = field(default_factory=Counter)
    """Of these, records that gave no instruction."""
    instructions: Counter[str] = field(default_factory=Counter)
    """Instructions made of the others: one for each task."""
    revisions: dict[str, str] = field(default_factory=dict)
    """Commit that was read of each Hub dataset."""


def load_seed(seed: SeedConfig, base: Path, tally: Tally | None = None) -> Iterator[Instruction | SeedIssue]:
    """Streams the instructions of one source; a record that gives none is yielded as an issue.

    Args:
        seed: The source.
        base: Folder for relative paths: the config file's.
        tally: Where to count what was read.

    Raises:
        ConfigError: The dataset, its tasks or its options are not known.
        SeedError: The source cannot be read at all.
    """
    dataset = find_dataset(seed.dataset)
    tasks = _tasks(dataset, seed)
    seed = _with_paths(seed, dataset, base)
    wording = load_wording(Path(resolved(str(seed.wording), base))) if seed.wording else ENGLISH
    for tool in seed.tools:
        TOOLS.find(tool, f"tools of {seed.path}")
    left = dict.fromkeys(tasks, seed.limit) if seed.limit else None
    name = seed.name or dataset.name
    tally = tally if tally is not None else Tally()
    for row in _rows(seed, base, dataset, tally.revisions):
        tally.records[name] += 1
        if isinstance(row, BadRecord):
            tally.unusable[name] += 1
            yield SeedIssue(source=row.where, dataset=name, reason=row.reason, kind="unusable")
            continue
        try:
            instructions = list(_instructions(row, seed, dataset, name, tasks, wording))
        except Unusable as error:
            tally.unusable[name] += 1
            yield SeedIssue(source=row.where, dataset=name, reason=str(error), kind="unusable")
            continue
        for instruction in instructions:
            if left is not None and seed.limit:
                if left.setdefault(instruction.task, seed.limit) == 0:  # a record may name a further task
                    continue
                left[instruction.task] -= 1
            tally.instructions[name] += 1
            yield instruction
        if left is not None and not any(left.values()):
            return


def load_untested(seed: SeedConfig, base: Path) -> Iterator[tuple[Instruction, str | None]]:
    """Streams the coding problems that have a gold solution but too few hidden tests, with the function to call.

    Those are the problems without tests and, where `options.min_hidden_tests` is set, those with fewer.

    Raises:
        ConfigError: The dataset, its tasks or its options are not known.
        SeedError: The source cannot be read at all.
    """
    dataset = find_dataset(seed.dataset)
    _tasks(dataset, seed)
    seed = _with_paths(seed, dataset, base)
    name = seed.name or dataset.name
    wanted = seed.options.get("min_hidden_tests") or 0
    options = {key: value for key, value in seed.options.items() if key != "min_hidden_tests"}
    for row in _rows(seed, base, dataset):
        if isinstance(row, BadRecord):
            continue
        try:
            for problem in dataset.load(row, seed.model_copy(update={"options": options})):
                hidden = sum(not case.public for case in problem.tests.cases) if problem.tests else 0
                few = problem.tests is None or hidden < wanted
                if problem.grader == "tests" and few and problem.solutions:
                    source = f"{name}/{seed.split}/{problem.record_id or row.key}"
                    licence = seed.licence or dataset.licence
                    instruction = problem.instruction(Task.CODING, name, source, licence, tested=False)
                    yield instruction, problem.tests.entry_point if problem.tests else problem.entry_point
        except Unusable:
            continue


def _rows(
    seed: SeedConfig, base: Path, dataset: Dataset, revisions: dict[str, str] | None = None
) -> Iterator[Row | BadRecord]:
    """The records of a source, also of files that are one object with a list of them."""
    for row in read_rows(seed, base, dataset.files, revisions):
        inner = row.data.get(dataset.records) if isinstance(row, Row) and dataset.records else None
        if isinstance(row, BadRecord) or not isinstance(inner, list):
            yield row
            continue
        for number, data in enumerate(inner):
            where = f"{row.where}, {dataset.records} {number + 1}"
            if isinstance(data, dict):
                yield Row(data, where, str(number), row.folder, row.file)
            else:
                yield BadRecord(where, f"an object was expected: {shorten(repr(data))}")


def _tasks(dataset: Dataset, seed: SeedConfig) -> tuple[Task, ...]:
    # A further task may stand wherever the task that it is like may.
    possible = (*dataset.tasks, *dataset.further)
    unknown = [task for task in seed.tasks if task not in possible and task.kind not in possible]
    if unknown:
        raise ConfigError(
            f"{dataset.name} makes {', '.join(possible)} instructions, not {', '.join(unknown)}."
        )
    strange = sorted(set(seed.options) - set(dataset.options))
    if strange:
        known = f"it knows {', '.join(dataset.options)}" if dataset.options else "it has none"
        raise ConfigError(f"{dataset.name} has no option {', '.join(strange)}; {known} ({seed.path}).")
    return seed.tasks or dataset.tasks


def _with_paths(seed: SeedConfig, dataset: Dataset, base: Path) -> SeedConfig:
    options = dict(seed.options)
    for name in dataset.paths:
        if name in options:
            options[name] = str(resolved(str(options[name]), base))
    return seed.model_copy(update={"options": options}) if options else seed


def _instructions(
    row: Row, seed: SeedConfig, dataset: Dataset, name: str, tasks: tuple[Task, ...], wording: Wording
) -> Iterator[Instruction]:
    for problem in dataset.load(row, seed):
        source = f"{name}/{seed.split}/{problem.record_id or row.key}"
        for task in tasks if problem.task is None else (problem.task,):
            licence = seed.licence or dataset.licence
            yield problem.instruction(task, name, source, licence, wording=wording)


def stream_instructions(
    config: RunConfig, base: Path, tally: Tally | None = None
) -> Iterator[Instruction | SeedIssue]:
    """Streams the instructions of all sources in order, without repeats, selected and decontaminated.

    What a rule drops is yielded as an issue in its place. The same config and files give the same stream.

    Args:
        config: The run's configuration; its `seeds` and `selection` are read.
        base: Folder for relative paths: the config file's.
        tally: Where to count what was read.

    Raises:
        ConfigError: A dataset, rule or option is not known.
        SeedError: A source or benchmark cannot be read at all.
    """
    if config.rollout is None:
        _refuse_benchmarks(config.seeds)
    decontaminator = Decontaminator.of(config.selection, base)
    chosen = build_rules(config.selection.rules)
    for rule in (made for _, made in chosen if made.surveys):
        rule.survey(item for item in _read(config.seeds, base, rule.surveys) if isinstance(item, Instruction))
    stream = _unique(_read(config.seeds, base, tally=tally), conflicts=config.rollout is None)
    for name, rule in chosen:
        stream = _select(stream, name, rule)
    if decontaminator is not None:
        stream = _decontaminate(stream, decontaminator)
    yield from _numbered(stream)


def _refuse_benchmarks(seeds: Iterable[SeedConfig]) -> None:
    for seed in seeds:
        if find_dataset(seed.dataset).benchmark is not None:
            raise ConfigError(
                f"{seed.dataset} ({seed.path}) is a benchmark: no tree is grown from it. `ultrainteract eval` "
                "evaluates models on it; to keep its items out of a run, name it in selection.decontaminate."
            )


Items = Iterator[Instruction | SeedIssue]


def _read(
    seeds: Iterable[SeedConfig],
    base: Path,
    datasets: tuple[str, ...] | None = None,
    tally: Tally | None = None,
) -> Items:
    for seed in seeds:
        if datasets is None or seed.dataset in datasets:
            yield from load_seed(seed, base, tally)


class GoldAnswers:
    """The gold answers of the problems read so far: one problem with two of them is no ground truth."""

    def __init__(self) -> None:
        self._golds: dict[bytes, bytes] = {}

    def conflict(self, instruction: Instruction) -> str | None:
        """Why `instruction` contradicts what was read before it; None where it does not."""
        gold = instruction.gold
        if instruction.grader in ("tests", "judge") or (gold is None and not instruction.gold_set):
            return None
        shown = gold if gold is not None else " | ".join(instruction.gold_set)
        if instruction.grader == "choice" and gold and gold in LETTERS[: len(instruction.choices)]:
            gold = instruction.choices[LETTERS.index(gold)]  # the same choices may stand in another order
        problem = [instruction.task, instruction.dataset, " ".join(instruction.prompt.split())]
        key = bytes.fromhex(content_hash(problem))[:16]
        value = bytes.fromhex(content_hash([gold, sorted(instruction.gold_set)]))[:8]
        if self._golds.setdefault(key, value) == value:
            return None
        return f"the same problem was read before with another gold answer; here it is '{shorten(shown)}'"


def _unique(items: Items, conflicts: bool = True) -> Items:
    seen: set[bytes] = set()
    golds = GoldAnswers()
    for item in items:
        if isinstance(item, Instruction):
            key = bytes.fromhex(item.id)[:16]
            if key in seen:
                yield dropped(item, "duplicate", "the same problem was read before")
                continue
            seen.add(key)
            if conflicts and (reason := golds.conflict(item)) is not None:
                yield dropped(item, CONFLICT, reason)
                continue
        yield item


def _select(items: Items, name: str, rule: Rule) -> Items:
    for item in items:
        reason = rule.reason(item) if isinstance(item, Instruction) else None
        yield item if reason is None or isinstance(item, SeedIssue) else dropped(item, name, reason)


def _decontaminate(items: Items, decontaminator: Decontaminator) -> Items:
    while batch := list(islice(items, _BATCH)):
        found = iter(decontaminator.check([item for item in batch if isinstance(item, Instruction)]))
        for item in batch:
            match = next(found) if isinstance(item, Instruction) else None
            if match is None or isinstance(item, SeedIssue):
                yield item
            else:
                reason = f'shares "{match.text}" with {match.test_id} ({match.match})'
                yield dropped(item, "decontaminate", reason)


def _numbered(items: Items) -> Items:
    """Numbers what one rule leaves out of one source twice, so that each has its own line in a ledger."""
    seen: Counter[str] = Counter()
    for item in items:
        if isinstance(item, SeedIssue):
            key = content_hash([item.dataset, item.source, item.rule or item.kind])[:24]
            seen[key] += 1
            if seen[key] > 1:
                item = item.model_copy(update={"source": f"{item.source} #{seen[key]}"})
        yield item


def dropped(instruction: Instruction, rule: str, reason: str) -> SeedIssue:
    """The issue for an instruction that `rule` leaves out."""
    return SeedIssue(
        source=f"{instruction.source} ({instruction.task})",
        dataset=instruction.dataset,
        reason=reason,
        kind="dropped",
        rule=rule,
    )
