"""Decontamination: no instruction may share an n-gram with a test item of its task (n = 8 in the paper).

LeetCode items are matched as exact substrings of the instruction. Near-duplicates of a test item can be
dropped too. Every removal names the test item and the shared words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ultrainteract.config import SelectionConfig
from ultrainteract.errors import require
from ultrainteract.schema import Instruction, Record, Task
from ultrainteract.seeds.selection.benchmarks import TestItem, read_benchmark
from ultrainteract.seeds.selection.ngrams import NGramIndex, Shared
from ultrainteract.seeds.selection.rules import minhash

_NEAR_WIDTH, _NEAR_PERMUTATIONS = 5, 128


class Contamination(Record):
    """Why an instruction is contaminated."""

    test_id: str
    """Benchmark and test item."""
    match: str
    """`ngram`, `substring`, `whole` (an item too short for an n-gram) or `near`."""
    text: str
    """The shared words; the similarity for `near`."""


class Decontaminator:
    """Test items of all benchmarks, indexed by task.

    Args:
        items: The test items.
        n: Words of an n-gram.
        near: Least similarity of a near-duplicate; off if None.
    """

    def __init__(self, items: Iterable[TestItem], n: int = 8, near: float | None = None) -> None:
        self.items = list(items)
        self._index = NGramIndex(
            [item.text for item in self.items], n, [item.match == "substring" for item in self.items]
        )
        self._math_alike = all(
            (Task.MATH_COT in item.tasks) == (Task.MATH_POT in item.tasks) for item in self.items
        )
        self._near = _NearIndex(self.items, near) if near is not None else None

    @classmethod
    def of(cls, config: SelectionConfig, base: Path) -> Decontaminator | None:
        """The one a config describes; None where it names no benchmark.

        Raises:
            SeedError: A benchmark cannot be read.
        """
        if not config.decontaminate:
            return None
        items = (item for benchmark in config.decontaminate for item in read_benchmark(benchmark, base))
        return cls(items, config.ngram, config.decontaminate_near)

    def check(self, instructions: Sequence[Instruction]) -> list[Contamination | None]:
        """What contaminates each instruction, or None; a batch of some hundreds is fastest."""
        results: list[Contamination | None] = [None] * len(instructions)
        # A problem's Math_CoT and Math_PoT instruction have one text: it is hashed once.
        places: dict[str, int] = {}
        cut = 4 if self._math_alike else None
        where = [places.setdefault(f"{i.task.value[:cut]}\n{i.question}", len(places)) for i in instructions]
        first = {place: number for number, place in reversed(list(enumerate(where)))}

        def admits(place: int, item: int) -> bool:
            return instructions[first[place]].task in self.items[item].tasks

        texts = [instructions[first[place]].question for place in range(len(places))]
        shared = {match.text: match for match in self._index.shared(texts, admits)}
        for number, place in enumerate(where):
            if place in shared:
                results[number] = self._contamination(shared[place])
        if self._near is not None:
            for number, instruction in enumerate(instructions):
                if results[number] is None:
                    results[number] = self._near.check(instruction)
        return results

    def _contamination(self, shared: Shared) -> Contamination:
        item = self.items[shared.item]
        return Contamination(test_id=item.id, match="whole" if shared.whole else item.match, text=shared.gram)


class _NearIndex:
    def __init__(self, items: Sequence[TestItem], threshold: float) -> None:
        require("datasketch", "seeds")
        from datasketch import MinHashLSH

        self.threshold = threshold
        self.items = items
        self.signatures: list[Any] = []
        self.index = MinHashLSH(threshold=threshold, num_perm=_NEAR_PERMUTATIONS)
        for number, item in enumerate(items):
            signature = minhash(item.text, _NEAR_WIDTH, _NEAR_PERMUTATIONS)
            self.signatures.append(signature)
            self.index.insert(str(number), signature)

    def check(self, instruction: Instruction) -> Contamination | None:
        signature = minhash(instruction.question, _NEAR_WIDTH, _NEAR_PERMUTATIONS)
        for number in sorted(map(int, self.index.query(signature))):
            similarity = float(signature.jaccard(self.signatures[number]))
            if similarity >= self.threshold and instruction.task in self.items[number].tasks:
                return Contamination(
                    test_id=self.items[number].id, match="near", text=f"similarity {similarity:.2f}"
                )
        return None
