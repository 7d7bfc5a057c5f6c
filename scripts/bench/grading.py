"""How fast and how right final answers are graded, beside math-verify called in the simplest way.

The pairs are made here from fixed seeds; both sides see the same ones, in alternating rounds. Rates are verdicts a
second of processor time, host and worker together, so that other load on the machine does not blur them. The second
part grades the test collection with both and counts verdicts that are wrong.

    python scripts/bench/grading.py [--pairs N] [--check]
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import sys
import time
import warnings
from pathlib import Path

import psutil
from _report import finish

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.grading.collection import _instruction, cases
from ultrainteract.grading import Graders
from ultrainteract.schema import Instruction, Label

LITERAL_RATE = 2_000
SYMBOLIC_RATE = 150
Pairs = list[tuple[Instruction, str]]


def literal_pairs(count: int) -> Pairs:
    """Plain numbers as actors write them; about half of them right."""
    rng = random.Random(1)
    pairs: Pairs = []
    for _ in range(count):
        value = rng.choice([rng.randint(-500, 100_000), round(rng.uniform(0, 1000), 2)])
        said = value if rng.random() < 0.5 else value + rng.choice([1, -1, 10])
        form = rng.choice(
            [r"\boxed{{{}}}", "{}", "The answer is {}.", "Answer: {}", r"\${}", "#### {}", "{} apples"]
        )
        pairs.append((_instruction(str(value)), form.format(said)))
    return pairs


def symbolic_pairs(count: int) -> Pairs:
    """Roots, fractions with letters, polynomials, multiples of pi; no two pairs are the same."""
    rng = random.Random(2)
    pairs: Pairs = []
    for i in range(count):
        a, b, c = rng.randint(2, 99), rng.randint(2, 99), i + 2
        gold, same, other = rng.choice(
            [
                (rf"{a}\sqrt{{{c}}}", rf"\sqrt{{{a * a * c}}}", rf"{a}\sqrt{{{c + 1}}}"),
                (rf"x^2+{a + c}x+{a * c}", f"(x+{a})(x+{c})", f"(x+{a})(x-{c})"),
                (rf"\frac{{{a}\pi}}{{{c}}}", rf"{a}\pi/{c}", rf"\frac{{{a}}}{{{c}\pi}}"),
                (
                    rf"\frac{{{a}x+{b}}}{{{c}}}",
                    rf"\frac{{{a}}}{{{c}}}x+\frac{{{b}}}{{{c}}}",
                    rf"\frac{{{a}x-{b}}}{{2}}",
                ),
                (rf"{a}+{c}i", rf"{c}i+{a}", rf"{a}-{c}i"),
                (rf"{a}+\sqrt{{{c}}}", rf"\sqrt{{{c}}}+{a}", rf"{a}-\sqrt{{{c}}}"),
            ]
        )
        pairs.append((_instruction(gold), rf"\boxed{{{same if rng.random() < 0.5 else other}}}"))
    return pairs


def cpu() -> float:
    """Seconds of processor time of this process and its workers."""
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    return sum(sum(p.cpu_times()[:2]) for p in processes)


def naive(gold: str, answer: str) -> bool:
    """math-verify as its README shows it."""
    from math_verify import parse, verify

    return bool(verify(parse(f"${gold}$"), parse(answer if "\\boxed" in answer else f"${answer}$")))


async def measure(graders: Graders, pairs: Pairs, rounds: int) -> tuple[float, float]:
    """Verdicts a processor second: ours, and the naive call's."""
    size = len(pairs) // rounds
    spent = [0.0, 0.0]
    for start in range(0, size * rounds, size):
        part = pairs[start : start + size]
        before = cpu()
        for instruction, answer in part:
            await graders.grade(instruction, answer)
        between = cpu()
        for instruction, answer in part:
            naive(instruction.gold or "", answer)
        spent[0] += between - before
        spent[1] += cpu() - between
    return size * rounds / spent[0], size * rounds / spent[1]


async def accuracy(graders: Graders) -> dict[str, int]:
    """Wrong verdicts on the test collection's mathematical pairs: ours, and the naive call's two-valued ones."""
    counts = {"pairs": 0, "wrong": 0, "undetermined": 0, "naive_wrong": 0, "naive_claims": 0}
    for case in cases():
        costly = case.group == "bombs" or "9^{9^{9" in case.answer or r"\prod" in case.answer
        if case.instruction.grader != "math" or costly:
            continue
        counts["pairs"] += 1
        label = (await graders.grade(case.instruction, case.answer)).label
        counts["undetermined"] += label is Label.UNDETERMINED
        counts["wrong"] += (case.expected[0] == "=" and label is Label.WRONG) or (
            case.expected[0] == "!" and label is Label.CORRECT
        )
        said = naive(case.instruction.gold or "", case.answer)
        counts["naive_wrong"] += said != (case.expected[0] == "=") and case.expected != "?"
        counts["naive_claims"] += case.expected == "?"
    return counts


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--pairs", type=int, default=1500, help="symbolic pairs; four times as many plain ones"
    )
    parser.add_argument("--check", action="store_true", help="exit with status 1 below the required rates")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    async with Graders() as graders:
        await graders.grade(_instruction(r"2\sqrt{3}"), r"\sqrt{12}")
        naive("x", "y")
        start = time.monotonic()
        literal, literal_naive = await measure(graders, literal_pairs(4 * arguments.pairs), 6)
        symbolic, symbolic_naive = await measure(graders, symbolic_pairs(arguments.pairs), 6)
        counts = await accuracy(graders)
    print(f"plain numbers     {literal:8.0f} verdicts/s a core   math-verify alone {literal_naive:7.0f}")
    print(f"symbolic answers  {symbolic:8.0f} verdicts/s a core   math-verify alone {symbolic_naive:7.0f}")
    print(
        f"collection        {counts['wrong']} wrong of {counts['pairs']}, {counts['undetermined']} undetermined   "
        f"math-verify alone {counts['naive_wrong']} wrong, a claim on {counts['naive_claims']} that cannot be known"
    )
    print(f"({time.monotonic() - start:.0f} s in all)")
    finish(
        {
            "literal_over_required": literal / LITERAL_RATE,
            "literal_over_math_verify": literal / literal_naive,
            "symbolic_over_required": symbolic / SYMBOLIC_RATE,
            "symbolic_over_math_verify": symbolic / symbolic_naive,
            "wrong_of_collection": counts["wrong"] / counts["pairs"],
            "math_verify_wrong_of_collection": counts["naive_wrong"] / counts["pairs"],
        },
        {
            "literal_over_required": (">=", 1),
            "symbolic_over_required": (">=", 1),
            "wrong_of_collection": ("<=", 0),
        },
        check=arguments.check,
    )


if __name__ == "__main__":
    asyncio.run(main())
