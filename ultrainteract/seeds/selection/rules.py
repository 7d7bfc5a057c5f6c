"""Selection rules: which loaded instructions get a tree (paper, appendix A.1).

A rule is a named step that gives a reason to leave an instruction out, or none. Some rules need to have
seen a whole dataset before they can decide; they survey it in a pass of their own and keep only what the
decision needs. Nothing here draws at random: the same files give the same selection. A few rules need to see the
actor at work (`ActorRule`): they decide when an instruction's turn comes to be grown.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, TypeVar

from ultrainteract.config import RuleConfig, SelectionConfig
from ultrainteract.errors import ConfigError, require
from ultrainteract.registry import Registry
from ultrainteract.schema import Instruction, content_hash

R = TypeVar("R", bound="SelectionRule")

Solves = Callable[[Instruction, int], Awaitable[bool]]
"""Whether all of that many first-step samples of the actor are proved correct."""


class SelectionRule(ABC):
    """What all rules have in common: they are made with the settings they take out of a dictionary."""

    @abstractmethod
    def __init__(self, options: dict[str, Any]) -> None:
        """Takes its settings out of `options`; what is left is refused."""


class Rule(SelectionRule):
    """A selection rule that decides while the seeds are read."""

    surveys: tuple[str, ...] = ()
    """Datasets it must see whole before it decides; none for most."""

    def survey(self, instructions: Iterable[Instruction]) -> None:
        """Sees every instruction of the datasets in `surveys`, once, before the first decision."""

    @abstractmethod
    def reason(self, instruction: Instruction) -> str | None:
        """Why `instruction` is left out, or None."""


class ActorRule(SelectionRule):
    """A selection rule that has the actor attempt an instruction before its tree is grown."""

    @abstractmethod
    async def reason(self, instruction: Instruction, solves: Solves) -> str | None:
        """Why `instruction` is left out, or None.

        Args:
            instruction: The instruction.
            solves: `await solves(instruction, k)` is true where all of k first-step samples of the actor are proved
                correct. They are recorded like every call, and reused when the tree is grown.
        """


RULES: Registry[type[SelectionRule]] = Registry("rule", "ultrainteract.rules")
"""All selection rules."""


def rule(name: str) -> Callable[[type[R]], type[R]]:
    """Registers a rule under `name`.

    Raises:
        ConfigError: Another rule has this name.
    """

    def register(kind: type[R]) -> type[R]:
        RULES.add(name, kind)
        return kind

    return register


def rules() -> dict[str, str]:
    """All rules by name, with the first line of what they say of themselves."""
    return {name: (kind.__doc__ or "").strip().partition("\n")[0] for name, kind in RULES.all().items()}


def build_rules(configured: Iterable[str | RuleConfig]) -> list[tuple[str, Rule]]:
    """The configured rules that decide while seeds are read, in order.

    Raises:
        ConfigError: A rule or one of its settings is not known, or a package it needs is missing.
    """
    return [(name, made) for name, made in _build(configured) if isinstance(made, Rule)]


def build_actor_rules(selection: SelectionConfig) -> list[tuple[str, ActorRule]]:
    """The configured rules that decide when an instruction's turn comes, in order.

    Raises:
        ConfigError: See `build_rules`.
    """
    configured = list(selection.rules)
    if selection.drop_solved:
        configured.append(RuleConfig(name="drop_solved", options={"k": selection.drop_solved}))
    return [(name, made) for name, made in _build(configured) if isinstance(made, ActorRule)]


def _build(configured: Iterable[str | RuleConfig]) -> Iterator[tuple[str, SelectionRule]]:
    for item in configured:
        config = RuleConfig(name=item) if isinstance(item, str) else item
        options = dict(config.options)
        kind = RULES.find(config.name, "selection.rules")
        try:
            made = kind(options)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"selection.rules: {config.name}: {error}") from error
        if options:
            raise ConfigError(f"selection.rules: {config.name} has no setting {', '.join(sorted(options))}.")
        yield config.name, made


@rule("drop_solved")
class DropSolved(ActorRule):
    """Without what the actor's first step solves `k` (4) times out of `k`."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.k = int(options.pop("k", 4))
        if self.k < 1:
            raise ValueError("k must be at least 1")

    async def reason(self, instruction: Instruction, solves: Solves) -> str | None:
        """Left out where every attempt is proved correct: no incorrect action would be found to expand."""
        return (
            f"the actor solves it {self.k} times out of {self.k}"
            if await solves(instruction, self.k)
            else None
        )


@rule("mathqa_patterns")
class MathQAPatterns(Rule):
    """At most `most` (5) MathQA problems a formula pattern; within a pattern, rare categories first."""

    surveys = ("mathqa",)

    def __init__(self, options: dict[str, Any]) -> None:
        self.most = int(options.pop("most", 5))
        self._kept: set[str] = set()

    def survey(self, instructions: Iterable[Instruction]) -> None:
        """Counts the categories, then keeps the first of each pattern in the order (category size, place)."""
        patterns: dict[str, list[tuple[str, str]]] = {}
        categories: Counter[str] = Counter()
        seen: set[str] = set()
        for instruction in instructions:
            key = _problem_key(instruction)
            if key in seen:
                continue
            seen.add(key)
            category, pattern = _mathqa_tags(instruction)
            categories[category] += 1
            patterns.setdefault(pattern, []).append((category, key))
        for members in patterns.values():
            members.sort(key=lambda member: categories[member[0]])  # stable: file order among equals
            self._kept.update(key for _, key in members[: self.most])

    def reason(self, instruction: Instruction) -> str | None:
        """Left out where its pattern has enough problems without it."""
        if instruction.dataset not in self.surveys or _problem_key(instruction) in self._kept:
            return None
        return f"its formula pattern {_mathqa_tags(instruction)[1]} has {self.most} problems already"


def _problem_key(instruction: Instruction) -> str:
    """The same for a problem's Math_CoT and Math_PoT instruction."""
    return content_hash([instruction.question, instruction.gold])


def _mathqa_tags(instruction: Instruction) -> tuple[str, str]:
    category = instruction.tags[0] if instruction.tags else ""
    patterns = [tag.removeprefix("formula:") for tag in instruction.tags if tag.startswith("formula:")]
    return category, patterns[0] if patterns else ""


@rule("numglue_tasks")
class NumGLUETasks(Rule):
    """NumGLUE without the task types in `drop` (5, 6, 7)."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.drop = {f"Type_{int(number)}" for number in options.pop("drop", (5, 6, 7))}

    def reason(self, instruction: Instruction) -> str | None:
        """Left out where its type is one of the dropped."""
        if instruction.dataset != "numglue":
            return None
        return next((f"task {tag}" for tag in instruction.tags if tag in self.drop), None)


@rule("tabmwp_levels")
class TabMWPLevels(Rule):
    """TabMWP of the levels (grades) in `keep` (4, 5) only."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.keep = {str(int(level)) for level in options.pop("keep", (4, 5))}

    def reason(self, instruction: Instruction) -> str | None:
        """Left out where its level is none of the kept."""
        if instruction.dataset != "tabmwp" or instruction.difficulty in self.keep:
            return None
        return f"level {instruction.difficulty or 'unknown'}"


@rule("near_duplicates")
class NearDuplicates(Rule):
    """Near-duplicate statements of `datasets` kept once (MinHash of word 5-grams, `threshold` 0.7)."""

    def __init__(self, options: dict[str, Any]) -> None:
        require("datasketch", "seeds")
        from datasketch import MinHashLSH

        self.datasets = frozenset(options.pop("datasets", ("codecontest", "TACO", "apps")))
        self.width = int(options.pop("words", 5))
        self.permutations = int(options.pop("permutations", 128))
        threshold = float(options.pop("threshold", 0.7))
        self._index = MinHashLSH(threshold=threshold, num_perm=self.permutations)
        self._signatures: dict[str, Any] = {}
        self._threshold = threshold

    def reason(self, instruction: Instruction) -> str | None:
        """Left out where an earlier instruction of the same task has nearly the same statement."""
        if instruction.dataset not in self.datasets:
            return None
        signature = minhash(instruction.question, self.width, self.permutations)
        key = f"{instruction.task}\0{instruction.source}\0{instruction.id[:16]}"
        best: tuple[float, str] | None = None
        for other in sorted(self._index.query(signature)):
            similarity = float(signature.jaccard(self._signatures[other]))
            task, source, _ = other.split("\0")
            if task == instruction.task and similarity >= self._threshold:
                best = max(best or (0.0, ""), (similarity, source))
        if best is not None:
            return f"nearly the statement of {best[1]} (similarity {best[0]:.2f})"
        self._index.insert(key, signature)
        self._signatures[key] = signature
        return None


def minhash(text: str, width: int, permutations: int) -> Any:
    """MinHash signature of the text's word n-grams (of its words, where it is shorter)."""
    from datasketch import MinHash

    from ultrainteract.seeds.selection.ngrams import normalise

    words = normalise(text).split()
    grams = (words[start : start + width] for start in range(max(1, len(words) - width + 1)))
    signature = MinHash(num_perm=permutations)
    signature.update_batch([b" ".join(gram) for gram in grams])
    return signature
