"""The order of rows for trainers that compare neighbours: rows of one problem stand far apart.

KTO estimates its KL term from mismatched pairs, the prompt of one row with the completion of the row beside it in the
batch (KTO, arXiv 2402.01306; TRL rotates completions within every `per_device_train_batch_size` rows and allows no
shuffling). Where the two sides of a pair stand next to each other, that "mismatched" completion belongs to the very
same prompt. So rows are spread: among any `WINDOW` consecutive rows no problem occurs twice, wherever there are enough
problems. The order depends on the rows' problems alone: it is the same on every machine, at every time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from ultrainteract.schema import Tree, content_hash

T = TypeVar("T")

WINDOW = 64
"""Consecutive rows without a repeated problem: a batch, on one device, of up to as many rows."""
BLOCK_ROWS = 4096
"""Rows that are put in order together: bounds memory."""


def problem_of(tree: Tree) -> str:
    """What trees about the same problem (with and without a tool, say) have in common."""
    return " ".join(tree.instruction.question.casefold().split())


def spread_order(problems: Sequence[str], before: Sequence[str] = ()) -> list[int]:
    """The order in which to write rows.

    Args:
        problems: The problem of each row.
        before: Problems of the rows written last.

    Returns:
        Positions in `problems`. Rows of a problem are laid out evenly over the whole, beginning at a place drawn by
        the problem's hash, and moved back where a row of that problem is less than `WINDOW` rows away. With too
        few problems for that they are as far apart as there is room for.

    Example:
        >>> problems = ["a", "a", "b", "b", "c", "c"]
        >>> [problems[place] for place in spread_order(problems)]
        ['b', 'c', 'a', 'b', 'c', 'a']
    """
    groups: dict[str, list[int]] = {}
    for place, problem in enumerate(problems):
        groups.setdefault(problem, []).append(place)
    laid: list[tuple[float, int]] = []
    for problem, places in groups.items():
        start = int(content_hash([problem, "order"])[:13], 16) / 16**13
        drawn = sorted((content_hash([problem, rank, "order"]), place) for rank, place in enumerate(places))
        laid += [((number + start) / len(places), place) for number, (_, place) in enumerate(drawn)]
    laid.sort()
    room = len(problems) // max(map(len, groups.values()), default=1)
    recent: deque[str] = deque(before, maxlen=max(0, min(WINDOW, room) - 1))
    following = iter([place for _, place in laid])
    held: deque[int] = deque()
    order: list[int] = []
    while len(order) < len(problems):
        ready = next((place for place in held if problems[place] not in recent), None)
        if ready is not None:
            held.remove(ready)
        while ready is None:
            following_one = next(following, None)
            if following_one is None:
                ready = held.popleft()  # too few problems: the one that has waited longest
            elif problems[following_one] in recent:
                held.append(following_one)
            else:
                ready = following_one
        order.append(ready)
        recent.append(problems[ready])
    return order


def spread(rows: Iterable[tuple[str, T]]) -> Iterator[T]:
    """Rows in the order of `spread_order`, block by block.

    Args:
        rows: (problem, row).
    """
    block: list[tuple[str, T]] = []
    before: list[str] = []

    def ordered() -> Iterator[T]:
        order = spread_order([problem for problem, _ in block], before)
        before[:] = [block[place][0] for place in order[-WINDOW:]]
        yield from (block[place][1] for place in order)
        block.clear()

    for row in rows:
        block.append(row)
        if len(block) == BLOCK_ROWS:
            yield from ordered()
    yield from ordered()


class ArrowSpread:
    """`spread` for Arrow batches."""

    def __init__(self) -> None:
        self._batches: list[Any] = []
        self._problems: list[str] = []
        self._before: list[str] = []

    def add(self, batch: Any, problems: Sequence[str]) -> Iterator[Any]:
        """Takes rows in, and yields those that are in order.

        Args:
            batch: The rows, as an Arrow batch.
            problems: The problem of each.
        """
        self._batches.append(batch)
        self._problems += problems
        while len(self._problems) >= BLOCK_ROWS:
            yield from self._ordered(BLOCK_ROWS)

    def rest(self) -> Iterator[Any]:
        """Yields the rows that are left."""
        yield from self._ordered(len(self._problems))

    def _ordered(self, count: int) -> Iterator[Any]:
        import pyarrow as pa

        if not count:
            return
        table = pa.Table.from_batches(self._batches)
        problems = self._problems[:count]
        order = spread_order(problems, self._before)
        self._before = [problems[place] for place in order[-WINDOW:]]
        self._batches, self._problems = table.slice(count).to_batches(), self._problems[count:]
        yield from table.slice(0, count).take(pa.array(order)).combine_chunks().to_batches()
