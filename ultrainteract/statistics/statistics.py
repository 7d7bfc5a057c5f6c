"""Figures of a set of trees, added up while the trees stream by; two halves of a set can be counted apart and merged.

Table 1 and Table 7 are those of the paper. Rows "without interaction" hold what stands beside a tree's one
trajectory: additional pairs of hard instructions, further correct actions of imported sets, and whole trees of runs
whose turn cap is 1.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, fields
from itertools import combinations
from pathlib import Path
from typing import Any, Self

import orjson

from ultrainteract.dataset.samples import correct_actions, picked_pairs, spoken
from ultrainteract.errors import ConfigError, require
from ultrainteract.schema import Label, Tree, content_hash
from ultrainteract.statistics.figures import (
    Agreement,
    CallErrorRow,
    Critiques,
    DatasetRow,
    Duplicates,
    EvidenceRow,
    Figures,
    FirstSample,
    Kept,
    KindRow,
    LicenseRow,
    ModelRow,
    Spent,
    StepRow,
)
from ultrainteract.statistics.lengths import PairTokens
from ultrainteract.store import Spend
from ultrainteract.wording import feedback

CHARS_PER_TOKEN = 4
"""Characters counted as one token where no tokenizer is given: an estimate, marked as such wherever it is shown."""

ESTIMATED = f"estimated, {CHARS_PER_TOKEN} characters per token"
"""What the tables call the estimate."""


def estimated_tokens(text: str) -> int:
    """Tokens of a text, estimated from its length."""
    return -(-len(text) // CHARS_PER_TOKEN)


def token_counter(tokenizer: str | None) -> tuple[Callable[[str], int], str]:
    """A token counter and what to call it.

    Args:
        tokenizer: A `tokenizer.json`, or a model on the Hub; an estimate from lengths if None.

    Raises:
        ConfigError: The `tokenizers` library is missing, or it cannot load the tokenizer.
    """
    if tokenizer is None:
        return estimated_tokens, ESTIMATED
    require("tokenizers", "hub")
    from tokenizers import Tokenizer

    try:
        path = Path(tokenizer)
        if not path.is_file():
            require("huggingface_hub", "hub")
            from huggingface_hub import hf_hub_download

            path = Path(hf_hub_download(tokenizer, "tokenizer.json"))
        text = path.read_text(encoding="utf-8")
        if "model" not in orjson.loads(text):
            raise ValueError("it has no 'model'")
    except (OSError, ValueError) as error:
        raise ConfigError(f"Cannot load the tokenizer {tokenizer}: {error}") from error
    loaded = Tokenizer.from_str(text)
    return lambda text: len(loaded.encode(text, add_special_tokens=False)), tokenizer


@dataclass
class Kind:
    """A row of Table 1: trees of one task, with or without interaction, with or without a tool."""

    instructions: int = 0
    trajectories: Counter[int] = field(default_factory=Counter)
    """Trajectories by the turn they end at."""
    tokens: int = 0
    """Of all trajectories together."""
    pairs: int = 0
    correct: int = 0


@dataclass
class Dataset:
    """A row of Table 7."""

    prompts: int = 0
    pairs: int = 0
    correct: int = 0
    trajectories: int = 0
    tokens: int = 0


@dataclass
class StepFigures:
    """What a ladder step, or the pool, drew with one model."""

    drawn: int = 0
    judged: int = 0
    correct: int = 0


@dataclass
class Statistics:
    """Figures of trees.

    Args:
        count_tokens: Counts the tokens of a text.
        tokenizer: What the tables call the counter.
    """

    count_tokens: Callable[[str], int] = estimated_tokens
    tokenizer: str = ESTIMATED
    trees: int = 0
    simulated: int = 0
    kinds: defaultdict[tuple[str, bool, bool], Kind] = field(default_factory=lambda: defaultdict(Kind))
    datasets: defaultdict[tuple[str, str], Dataset] = field(default_factory=lambda: defaultdict(Dataset))
    steps: defaultdict[tuple[str, str], StepFigures] = field(default_factory=lambda: defaultdict(StepFigures))
    states: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)
    depths: Counter[int] = field(default_factory=Counter)
    hard: int = 0
    first_samples: defaultdict[int, StepFigures] = field(default_factory=lambda: defaultdict(StepFigures))
    """Verdicts on the actor's own first sample, by turn."""
    lengths: defaultdict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    """Characters of `chosen`, `rejected`, `instruction`: counts by the power of two they reach."""
    chosen_longer: int = 0
    same_model: int = 0
    attributed: int = 0
    """Pairs whose two models are known."""
    pairs: int = 0
    correct: int = 0
    pair_turns: Counter[int] = field(default_factory=Counter)
    lengths_in_tokens: PairTokens = field(default_factory=PairTokens)
    critiques: Counter[str] = field(default_factory=Counter)
    """By what the leak guard did."""
    guards: Counter[str] = field(default_factory=Counter)
    evidence: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Verdicts by (check, label)."""
    call_errors: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Wrong function calls by (kind of error, `sampled` or `mutated`)."""
    reliability: int = 0
    """Sum over verdicts with evidence, in millionths: whole numbers add up the same in any order."""
    agreeing: int = 0
    """Couples of actions of a tree that state the same answer and got the same label."""
    disagreeing: int = 0
    """Couples that state the same answer and got different labels."""
    models: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Kept texts by (role, model)."""
    licenses: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Trees by (dataset, license of the seed)."""
    kept_tokens: int = 0
    kept_cost: int = 0
    """Cost of kept texts, in billionths of a US dollar."""
    unpriced: int = 0
    _prompts: array[int] = field(default_factory=lambda: array("Q"))
    _pairs: array[int] = field(default_factory=lambda: array("Q"))
    _responses: array[int] = field(default_factory=lambda: array("Q"))

    # ----------------------------------------------------------------------------------------- adding up

    def add(self, tree: Tree) -> None:
        """Counts one tree."""
        instruction = tree.instruction
        pairs = picked_pairs(tree)
        correct = correct_actions(tree)
        self.trees += 1
        self.simulated += tree.simulated
        self.states[tree.state.value] += 1
        self.endings[tree.ended] += 1
        self.depths[tree.depth] += 1
        self.hard += tree.hard
        self.pairs += len(pairs)
        self.correct += len(correct)
        self.guards.update(tree.guards)
        self.licenses[instruction.dataset, instruction.licence or "unknown"] += 1
        self.lengths["instruction"][_power(instruction.prompt)] += 1
        self._prompts.append(_hash(instruction.prompt))
        self._responses.extend(_hash([tree.id, spoken(found.node.action)]) for found in correct)

        prompts, trajectories = self._trajectories(tree)
        dataset = self.datasets[instruction.task.value, instruction.dataset]
        dataset.prompts += 1
        dataset.pairs += len(pairs)
        dataset.correct += len(correct)
        dataset.trajectories += len(trajectories)
        dataset.tokens += sum(tokens for _, _, tokens in trajectories)
        touched: set[bool] = set()
        for interaction, turn, tokens in trajectories:
            kind = self.kinds[instruction.task.value, interaction, bool(instruction.tools)]
            kind.instructions += interaction not in touched
            kind.trajectories[turn] += 1
            kind.tokens += tokens
            touched.add(interaction)
        interacts = _interacts(tree)
        for pair in pairs:
            self.kinds[instruction.task.value, interacts and pair.own, bool(instruction.tools)].pairs += 1
            self.pair_turns[pair.turn] += 1
            chosen, rejected = spoken(pair.chosen.action), spoken(pair.rejected.action)
            self.lengths["chosen"][_power(chosen)] += 1
            self.lengths["rejected"][_power(rejected)] += 1
            longer = max(self.count_tokens(chosen), self.count_tokens(rejected))
            self.lengths_in_tokens.add(pair.turn, prompts[pair.turn - 1], longer)
            self.chosen_longer += len(chosen) > len(rejected)
            origins = (pair.chosen.provenance, pair.rejected.provenance)
            if all(origin.provider != "import" for origin in origins):
                self.attributed += 1
                self.same_model += origins[0].model == origins[1].model
            self._pairs.append(_hash([instruction.prompt, chosen, rejected]))
        for found in correct:
            own = found.node is tree.turns[found.turn - 1].correct
            self.kinds[instruction.task.value, interacts and own, bool(instruction.tools)].correct += 1
        self._sampling(tree)
        self._verdicts(tree)
        self._origins(tree)

    def _trajectories(self, tree: Tree) -> tuple[list[int], list[tuple[bool, int, int]]]:
        """Tokens before each turn; (with interaction, last turn, tokens) of every trajectory.

        Trajectories are the tree's own one, and one for every further correct action.
        """
        count = self.count_tokens
        prompt, words = count(tree.instruction.prompt), tree.instruction.wording
        before, sizes = prompt, []
        for turn in tree.turns:
            sizes.append(before)
            if turn.incorrect is not None:
                before += count(spoken(turn.incorrect.action, words))
                before += count(feedback(turn.incorrect, words))
        found: list[tuple[bool, int, int]] = []
        if tree.turns:
            last = tree.turns[-1]
            end = last.correct or last.incorrect
            tokens = sizes[-1] + (count(spoken(end.action)) if end else 0)
            found.append((_interacts(tree), tree.depth, tokens))
        for number, turn in enumerate(tree.turns, 1):
            for node in (*(pair.chosen for pair in turn.extra), *turn.more_correct):
                found.append((False, number, sizes[number - 1] + count(spoken(node.action))))
        return sizes, found

    def _sampling(self, tree: Tree) -> None:
        for number, turn in enumerate(tree.turns, 1):
            for drawn in turn.steps:
                figures = self.steps[drawn.step, drawn.model]
                figures.drawn += drawn.drawn
                figures.judged += drawn.judged
                figures.correct += drawn.correct
            first = self.first_samples[number]
            first.drawn += 1
            first.judged += turn.first_correct is not None
            first.correct += turn.first_correct is True

    def _verdicts(self, tree: Tree) -> None:
        answers: defaultdict[str, list[Label]] = defaultdict(list)
        for _, node in tree.nodes():
            if node.verdict.evidence is not None:
                self.evidence[node.verdict.evidence.check, node.verdict.label.value] += 1
                self.reliability += round(node.verdict.evidence.reliability * 1e6)
                if tree.instruction.functions and node.verdict.label is Label.WRONG:
                    origin = "mutated" if node.provenance.mutated else "sampled"
                    self.call_errors[_error_name(node.verdict.evidence.detail), origin] += 1
                if node.action.answer:
                    answers[" ".join(node.action.answer.casefold().split())].append(node.verdict.label)
        for labels in answers.values():
            for one, other in combinations(labels, 2):
                self.agreeing += one is other
                self.disagreeing += one is not other

    def _origins(self, tree: Tree) -> None:
        for _, node in tree.nodes():
            self.models[node.provenance.step, node.provenance.model] += 1
            parts = [node.provenance]
            if node.critique is not None:
                self.critiques[node.critique.guard] += 1
                self.models["critic", node.critique.provenance.model] += 1
                parts.append(node.critique.provenance)
            for origin in parts:
                self.kept_tokens += origin.completion_tokens
                self.kept_cost += round((origin.cost or 0.0) * 1e9)
                self.unpriced += origin.cost is None

    def merge(self, other: Self) -> None:
        """Adds the figures of another set of trees."""
        for item in fields(self):
            mine, theirs = getattr(self, item.name), getattr(other, item.name)
            if isinstance(mine, Counter | array):
                mine += theirs
                setattr(self, item.name, mine)
            elif isinstance(mine, defaultdict):
                for key, value in theirs.items():
                    _merge(mine, key, value)
            elif isinstance(mine, PairTokens):
                mine.merge(theirs)
            elif isinstance(mine, int):
                setattr(self, item.name, mine + theirs)

    # --------------------------------------------------------------------------------------------- report

    def duplicates(self) -> Duplicates:
        """Rows beyond the first of each."""
        return Duplicates(
            prompts=len(self._prompts) - len(set(self._prompts)),
            pairs=len(self._pairs) - len(set(self._pairs)),
            responses=len(self._responses) - len(set(self._responses)),
        )

    def figures(self, spend: Sequence[Spend] = ()) -> Figures:
        """All figures of what was counted so far.

        Args:
            spend: What the runs have spent in all, kept or not.
        """
        critiques = sum(self.critiques.values())
        leaked = critiques - self.critiques["clean"]
        couples = self.agreeing + self.disagreeing
        return Figures(
            trees=self.trees,
            pairs=self.pairs,
            correct=self.correct,
            simulated_trees=self.simulated,
            hard_trees=self.hard,
            tokenizer=self.tokenizer,
            table1=tuple(
                KindRow(
                    task=task, interaction=interaction, tool=tool, instructions=kind.instructions,
                    trajectories=_in_order(kind.trajectories),
                    tokens_per_trajectory=_ratio(kind.tokens, kind.trajectories.total()),
                    trajectories_per_instruction=_ratio(kind.trajectories.total(), kind.instructions),
                    pairs=kind.pairs, correct=kind.correct,
                )
                for (task, interaction, tool), kind in sorted(self.kinds.items(), key=_table_order)
            ),
            table7=tuple(
                DatasetRow(
                    task=task, dataset=dataset, prompts=row.prompts, pairs=row.pairs, correct=row.correct,
                    tokens_per_trajectory=_ratio(row.tokens, row.trajectories),
                )
                for (task, dataset), row in sorted(self.datasets.items())
            ),
            states=dict(sorted(self.states.items())),
            endings=dict(sorted(self.endings.items())),
            turns=_in_order(self.depths),
            pairs_by_turn=_in_order(self.pair_turns),
            pair_tokens=self.lengths_in_tokens.rows(),
            actor_first_sample=tuple(
                FirstSample(turn=turn, trees=first.drawn, judged=first.judged, correct=first.correct,
                            pass_rate=_ratio(first.correct, first.judged))
                for turn, first in sorted(self.first_samples.items())
            ),
            steps=tuple(
                StepRow(step=step, model=model, drawn=figures.drawn, judged=figures.judged, correct=figures.correct,
                        pass_rate=_ratio(figures.correct, figures.judged))
                for (step, model), figures in sorted(self.steps.items())
            ),
            length_chars={
                name: {2**power: count for power, count in sorted(counts.items())}
                for name, counts in sorted(self.lengths.items())
            },
            chosen_longer_share=_ratio(self.chosen_longer, self.pairs),
            same_model_share=_ratio(self.same_model, self.attributed),
            critiques=Critiques(
                total=critiques, leaked=leaked, leak_rate=_ratio(leaked, critiques), clean=self.critiques["clean"],
                asked_again=self.critiques["asked_again"], redacted=self.critiques["redacted"],
            ),
            guards=dict(sorted(self.guards.items())),
            duplicates=self.duplicates(),
            evidence=tuple(
                EvidenceRow(check=check, label=label, actions=count)
                for (check, label), count in sorted(self.evidence.items())
            ),
            call_errors=tuple(
                CallErrorRow(error=error, origin=origin, actions=count)
                for (error, origin), count in sorted(self.call_errors.items())
            ),
            mean_reliability=_ratio(self.reliability / 1e6, sum(self.evidence.values())),
            same_answer_agreement=Agreement(
                couples=couples, agree=self.agreeing, share=_ratio(self.agreeing, couples)
            ),
            models=tuple(
                ModelRow(role=role, model=model, texts=count)
                for (role, model), count in sorted(self.models.items())
            ),
            licenses=tuple(
                LicenseRow(dataset=dataset, license=name, trees=count)
                for (dataset, name), count in sorted(self.licenses.items())
            ),
            kept=Kept(
                completion_tokens=self.kept_tokens, cost=self.kept_cost / 1e9, unpriced_texts=self.unpriced,
                cost_per_pair=_ratio(self.kept_cost / 1e9, self.pairs) if not self.unpriced else None,
                tokens_per_pair=_ratio(self.kept_tokens, self.pairs) if self.kept_tokens else None,
            ),
            spent=Spent.of(spend, self.pairs) if spend else None,
        )  # fmt: skip


def _interacts(tree: Tree) -> bool:
    """False for a tree of one turn that was not meant to have more."""
    return not (tree.depth == 1 and tree.ended == "turn_cap")


def _table_order(item: tuple[tuple[str, bool, bool], Kind]) -> tuple[str, bool, bool]:
    (task, interaction, tool), _ = item
    return task, not interaction, not tool


def _merge(mine: dict[Any, Any], key: Hashable, value: Any) -> None:
    if isinstance(value, Counter):
        mine[key] += value
        return
    target = mine[key]
    for item in fields(value):
        setattr(target, item.name, getattr(target, item.name) + getattr(value, item.name))


def _error_name(detail: str) -> str:
    """The error that evidence on function calls begins with, such as `type_error:simple`."""
    head = detail.partition(": ")[0]
    return head if " " not in head else "other"


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _in_order(counts: Counter[int]) -> dict[int, int]:
    return dict(sorted(counts.items()))


def _power(text: str) -> int:
    return max(0, len(text) - 1).bit_length()


def _hash(value: Any) -> int:
    return int(content_hash(value)[:16], 16)
