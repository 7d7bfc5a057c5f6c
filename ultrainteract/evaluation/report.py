"""From the directory of an evaluation to its report: computed from the record alone, so that a resumed one is equal."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from ultrainteract.errors import ConfigError, StoreError
from ultrainteract.evaluation.contamination import contaminated
from ultrainteract.evaluation.estimates import Estimate, pass_at_k
from ultrainteract.evaluation.figures import BenchmarkFigures, EvaluationReport, Group, Turn
from ultrainteract.evaluation.outcomes import Attempt, JudgedItem, Outcome, judged
from ultrainteract.evaluation.selection import COUNTS, best_of_n, majority
from ultrainteract.evaluation.setup import setup_of
from ultrainteract.schema import Instruction, TreeState, content_hash
from ultrainteract.seeds.registry import find_dataset
from ultrainteract.store import RunStore

REPORT_FILE = "report.json"
"""The report, in the directory of an evaluation."""
ITEMS_FILE = "items.jsonl"
"""Its items with all attempts, beside it."""
_REASONS = 12
"""Reasons that a report lists."""
_IFEVAL = re.compile(r"loose (\d+)/(\d+), strict (\d+)/")


def read_items(store: RunStore) -> tuple[list[JudgedItem], list[Instruction]]:
    """The finished items of an evaluation, judged, with their instructions, in the order of their ids."""
    items, instructions = [], []
    for item in store.items():
        items.append(judged(item))
        instructions.append(item.instruction)
    return items, instructions


def report_of(
    store: RunStore,
    *,
    confidence: float = 0.95,
    training: Sequence[str] = (),
    ngram: int = 8,
    base: Path = Path(),
) -> tuple[EvaluationReport, list[JudgedItem]]:
    """The report of an evaluation's directory, and its items.

    Args:
        store: The directory.
        confidence: Level of the intervals.
        training: Data that the model was trained on.
        ngram: Words of an n-gram in the comparison with it.
        base: Folder for relative paths of it.

    Raises:
        StoreError: It holds trees.
        SeedError: The training data cannot be read.
    """
    config = store.config()
    if config.rollout is None:
        raise StoreError(f"{store.folder} holds trees, not an evaluation.")
    items, instructions = read_items(store)
    left_out = Counter(outcome.reason for outcome in store.outcomes() if outcome.state is TreeState.SKIPPED)
    failed, stopped = store.failed(), store.admitted()
    groups: dict[tuple[str, str], list[JudgedItem]] = defaultdict(list)
    for item in items:
        groups[item.benchmark, item.task].append(item)
    graders = {_key(item): item.grader for item in (*instructions, *failed, *stopped)}
    counted = Counter(map(_key, failed)), Counter(map(_key, stopped))
    figures = tuple(
        figures_of(
            groups[key], key=key, protocol=config.rollout.protocol, turns=config.rollout.turns, confidence=confidence,
            seed=config.seed, metric=_metric(key[0], graders[key])[0], full_size=_metric(key[0], "")[1],
            failed=counted[0][key], unfinished=counted[1][key],
        )
        for key in sorted(graders)
    )  # fmt: skip
    inputs, spend, ended = store.inputs(), store.spend(), sum(store.counts().values())
    report = EvaluationReport(
        setup=setup_of(config, confidence),
        complete=inputs is not None and ended >= inputs and not failed,
        not_asked=None if inputs is None else max(0, inputs - ended - len(stopped)),
        left_out=dict(sorted(left_out.items())),
        benchmarks=figures,
        contamination=contaminated(instructions, training, base, ngram) if training else None,
        simulated=bool(store.tallies().get("simulated")),
        requests=sum(row.requests for row in spend),
        prompt_tokens=sum(row.prompt_tokens for row in spend),
        completion_tokens=sum(row.completion_tokens for row in spend),
        cost=round(sum(row.cost for row in spend), 9),
        unpriced=sum(row.unpriced for row in spend),
    )
    return report, items


def _key(item: Instruction) -> tuple[str, str]:
    return item.dataset, item.task.value


def figures_of(
    items: Sequence[JudgedItem],
    *,
    key: tuple[str, str],
    protocol: str,
    turns: int,
    confidence: float,
    seed: int = 0,
    metric: str = "",
    full_size: int | None = None,
    failed: int = 0,
    unfinished: int = 0,
) -> BenchmarkFigures:
    """The figures of one benchmark under one task.

    Args:
        items: Its items.
        key: The benchmark and the task.
        protocol: `single`, `rollout` or `mint`.
        turns: Maximum steps of a rollout.
        confidence: Level of the intervals.
        seed: Seed of bootstrap and subsets.
        metric: The check that decides.
        full_size: Items of the full set.
        failed: Items that ended by a fault; those of whose attempts none counts are added.
        unfinished: Items that were asked for and have not ended.
    """

    def share(
        of: Callable[[Sequence[Attempt]], float], among: Sequence[JudgedItem] = items
    ) -> Estimate | None:
        return Estimate.of([of(found) for item in among if (found := _final(item, turns))], confidence, seed)

    attempts = [attempt for item in items for attempt in item.counted]
    final = [attempt for item in items for attempt in _final(item, turns)]
    most = min((len(found) for item in items if (found := _final(item, turns))), default=0)
    steps = [step for attempt in attempts for step in attempt.steps]
    counts = sorted({k for k in (*COUNTS, most) if k <= most})
    pass_at = {k: share(lambda found, k=k: pass_at_k(len(found), _right(found), k)) for k in counts}  # type: ignore[misc]
    single = protocol == "single"
    return BenchmarkFigures(
        benchmark=key[0],
        task=key[1],
        metric=metric,
        dataset_hash=content_hash([item.id for item in items]),
        items=sum(bool(_final(item, turns)) for item in items),
        full_size=full_size,
        failed=failed + sum(not _final(item, turns) for item in items),
        unfinished=unfinished,
        samples=most,
        outcomes=dict(sorted(Counter(attempt.outcome for item in items for attempt in item.attempts).items())),
        reasons=_reasons(attempts),
        accuracy=share(_mean_right),
        gradable_accuracy=_gradable(items, turns, confidence, seed),
        pass_at={k: estimate for k, estimate in pass_at.items() if estimate is not None},
        majority=share(majority) if single and most > 1 and any(a.answer is not None for a in final) else None,
        by_sample=_by_sample(items, turns) if most > 1 else (),
        protocol=protocol,
        by_turn=_by_turn(items, protocol, turns, confidence, seed),
        critiques=sum(attempt.critiques for attempt in attempts),
        withheld=sum(attempt.withheld for attempt in attempts),
        invalid=round(steps.count("invalid") / len(steps), 10) if protocol == "mint" and steps else None,
        groups=_groups(items, share),
        instructions_followed=_followed(final),
        best_of_n=best_of_n(items, confidence, seed) if single and most > 1 else (),
        tokens=sum(attempt.tokens for attempt in attempts),
    )  # fmt: skip


def _final(item: JudgedItem, turns: int) -> tuple[Attempt, ...]:
    """The attempts that accuracy is of: those with the full number of steps."""
    return tuple(attempt for attempt in item.counted if attempt.budget == turns)


def _right(attempts: Sequence[Attempt]) -> int:
    return sum(attempt.outcome is Outcome.RIGHT for attempt in attempts)


def _mean_right(attempts: Sequence[Attempt]) -> float:
    return _right(attempts) / len(attempts)


def _gradable(items: Sequence[JudgedItem], turns: int, confidence: float, seed: int) -> Estimate | None:
    values = []
    for item in items:
        known = [a for a in _final(item, turns) if a.outcome in (Outcome.RIGHT, Outcome.WRONG)]
        if known:
            values.append(_mean_right(known))
    return Estimate.of(values, confidence, seed)


def _reasons(attempts: Sequence[Attempt]) -> dict[str, int]:
    found = Counter(
        attempt.reason.partition(":")[0] or attempt.outcome.value
        for attempt in attempts
        if attempt.outcome not in (Outcome.RIGHT, Outcome.WRONG)
    )
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))[:_REASONS])


def _by_sample(items: Sequence[JudgedItem], turns: int) -> tuple[float, ...]:
    runs: dict[int, list[bool]] = defaultdict(list)
    for item in items:
        for attempt in _final(item, turns):
            runs[attempt.ordinal].append(attempt.outcome is Outcome.RIGHT)
    return tuple(round(sum(runs[ordinal]) / len(runs[ordinal]), 10) for ordinal in sorted(runs))


def _by_turn(
    items: Sequence[JudgedItem], protocol: str, turns: int, confidence: float, seed: int
) -> tuple[Turn, ...]:
    if protocol == "single":
        return ()
    rows = []
    for turn in range(1, turns + 1):
        values = []
        for item in items:
            found = item.counted if protocol == "rollout" else _final(item, turn)
            if found:
                solved = [a.solved_at is not None and a.solved_at <= turn for a in found]
                values.append(sum(solved) / len(solved))
        if (success := Estimate.of(values, confidence, seed)) is not None:
            rows.append(Turn(turn=turn, success=success))
    return tuple(rows)


def _groups(items: Sequence[JudgedItem], share: Callable[..., Estimate | None]) -> tuple[Group, ...]:
    parts: dict[tuple[str, str], list[JudgedItem]] = defaultdict(list)
    for item in items:
        if item.level:
            parts["level", item.level].append(item)
        for tag in item.tags:
            parts["subject", tag].append(item)
    found = []
    for (kind, name), group in sorted(parts.items()):
        accuracy = share(_mean_right, group)
        if accuracy is not None:
            found.append(Group(kind=kind, name=name, accuracy=accuracy))
    return tuple(found)


def _followed(attempts: Sequence[Attempt]) -> dict[str, float] | None:
    counts = [tuple(map(int, found.groups())) for a in attempts if (found := _IFEVAL.match(a.reason))]
    if not counts:
        return None
    instructions = sum(total for _, total, _ in counts)
    return {
        "prompt_loose": round(sum(loose == total for loose, total, _ in counts) / len(counts), 10),
        "prompt_strict": round(sum(strict == total for _, total, strict in counts) / len(counts), 10),
        "instruction_loose": round(sum(loose for loose, _, _ in counts) / instructions, 10),
        "instruction_strict": round(sum(strict for *_, strict in counts) / instructions, 10),
    }


def _metric(name: str, grader: str) -> tuple[str, int | None]:
    try:
        known = find_dataset(name).benchmark
    except ConfigError:
        known = None
    return (known.metric, known.size) if known else (f"grader `{grader}`", None)
