"""Endless arithmetic word problems in the manner of GSM8K, for measurements at any scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from ultrainteract.schema import Instruction, Task
from ultrainteract.seeds import Problem

_NAMES = ("Amara", "Bo", "Chiara", "Dmitri", "Elif", "Farid", "Greta", "Hana", "Ivo", "Jun", "Kofi", "Lena")
_THINGS = (
    "candles",
    "notebooks",
    "lanterns",
    "mugs",
    "kites",
    "scarves",
    "posters",
    "baskets",
    "clocks",
    "pens",
)
_PLACES = ("market", "school", "workshop", "library", "bakery", "station", "garden", "theatre")


def synthetic_instructions(
    count: int, seed: int = 0, tasks: Sequence[Task] = (Task.MATH_COT,)
) -> Iterator[Instruction]:
    """Yields `count` different problems with rationale and gold answer; memory does not grow with `count`.

    Args:
        count: How many.
        seed: Two streams with the same seed are equal, and problem n does not depend on `count`.
        tasks: Tasks of the instructions, taken in turn.
    """
    for number in range(count):
        question, rationale, gold = _problem(number, Random(f"{seed} {number}"))
        problem = Problem(question=question, grader="math", gold=str(gold), rationales=(rationale,))
        task = tasks[number % len(tasks)]
        yield problem.instruction(task, "synthetic", f"synthetic/{seed}/{number}", "CC0-1.0")


def _problem(number: int, rng: Random) -> tuple[str, str, int]:
    """A problem of two to five calculations; its number makes it different from all others."""
    name, other = rng.sample(_NAMES, 2)
    thing, place = rng.choice(_THINGS), rng.choice(_PLACES)
    boxes, size = rng.randint(3, 24), rng.randint(4, 36)
    total = boxes * size
    told = [f"{name} fills order {number} for the {place}: {boxes} boxes with {size} {thing} each."]
    steps = [f"The boxes hold {boxes} * {size} = {total} {thing}."]
    for change in rng.sample(("lost", "found", "shared", "doubled"), rng.randint(1, 4)):
        before = total
        if change == "lost":
            lost = rng.randint(1, total - 1) if total > 1 else 0
            total -= lost
            told.append(f"On the way {lost} of the {thing} break.")
            steps.append(f"After the breakage there are {before} - {lost} = {total} {thing} left.")
        elif change == "found":
            more = rng.randint(2, 80)
            total += more
            told.append(f"Then {other} adds {more} {thing} of the same kind.")
            steps.append(f"With those that {other} adds there are {before} + {more} = {total} {thing}.")
        elif change == "shared":
            parts = next((n for n in rng.sample(range(2, 10), 8) if total % n == 0), 1)
            if parts > 1:
                total //= parts
                told.append(
                    f"What is there is shared equally among {parts} rooms, and {name} counts one room."
                )
                steps.append(f"Each room gets {before} / {parts} = {total} {thing}.")
        else:
            total *= 2
            told.append("A second delivery doubles what is there.")
            steps.append(f"Doubled, that is {before} * 2 = {total} {thing}.")
    told.append(f"How many {thing} does {name} count in the end?")
    return " ".join(told), "\n".join(steps), total
