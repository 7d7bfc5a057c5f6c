"""Selection rules: which loaded instructions get a tree (paper, appendix A.1).

A rule is a named step that gives a reason to leave an instruction out, or none. Some rules need to have
seen a whole dataset before they can decide; they survey it in a pass of their own and keep only what the
decision needs. Nothing here draws at random: the same files give the same selection.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from ultrainteract.config import RuleConfig
from ultrainteract.errors import ConfigError, require
from ultrainteract.schema import Instruction, content_hash

R = TypeVar("R", bound="Rule")


class Rule(ABC):
    """One selection rule, made with the settings it takes out of a dictionary."""

    surveys: tuple[str, ...] = ()
    """Datasets it must see whole before it decides; none for most."""

    @abstractmethod
    def __init__(self, options: dict[str, Any]) -> None:
        """Takes its settings out of `options`; what is left is refused."""

    def survey(self, instructions: Iterable[Instruction]) -> None:  # noqa: B027 (most rules need none)
        """Sees every instruction of the datasets in `surveys`, once, before the first decision."""

    @abstractmethod
    def reason(self, instruction: Instruction) -> str | None:
        """Why `instruction` is left out, or None."""


_RULES: dict[str, type[Rule]] = {}


def rule(name: str) -> Callable[[type[R]], type[R]]:
    """Registers a rule under `name`."""

    def register(kind: type[R]) -> type[R]:
        _RULES[name] = kind
        return kind

    return register


def rules() -> dict[str, str]:
    """All rules by name, with the first line of what they say of themselves."""
    return {name: (kind.__doc__ or "").strip().partition("\n")[0] for name, kind in sorted(_RULES.items())}


def build_rules(configured: Iterable[str | RuleConfig]) -> list[tuple[str, Rule]]:
    """The configured rules in order.

    Raises:
        ConfigError: A rule or one of its settings is not known, or a package it needs is missing.
    """
    built: list[tuple[str, Rule]] = []
    for item in configured:
        config = RuleConfig(name=item) if isinstance(item, str) else item
        if config.name not in _RULES:
            raise ConfigError(
                f"selection.rules: no rule '{config.name}' (rules: {', '.join(sorted(_RULES))})."
            )
        options = dict(config.options)
        try:
            made = _RULES[config.name](options)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"selection.rules: {config.name}: {error}") from error
        if options:
            raise ConfigError(f"selection.rules: {config.name} has no setting {', '.join(sorted(options))}.")
        built.append((config.name, made))
    return built


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
