"""Measures how reliable the graders' verdicts are, and writes the figures that verdicts carry as their reliability.

Answers whose right verdict is known are graded: the gold answers of seed files as they stand and in other forms
(right), the gold answers of neighbours and gold answers with one thing changed (wrong), and the hand-labelled
answers of `tests/grading/collection.py`. For tests, gold solutions run on their own tests (right), and mutated
gold solutions and solutions of other problems that fail somewhere in their suite (wrong) are asked how many random
tests they pass.

    python scripts/measure_reliability.py --seed gsm8k=seeds/gsm8k/train.jsonl --seed TACO=seeds/taco --write
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from math import comb
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from _figures import write

from tests.grading.collection import cases
from ultrainteract.config import Limits, SandboxConfig, SeedConfig
from ultrainteract.grading import Finding, Graders, find_grader, verdict_from_tests
from ultrainteract.grading.selfcheck import stated_gold
from ultrainteract.sandbox import open_sandbox
from ultrainteract.schema import Instruction, Label
from ultrainteract.seeds import load_seed
from ultrainteract.seeds.mutation import mutants

FORMS = (r"\boxed{{{}}}", "The answer is {}.", "Answer: {}", "**{}**", "#### {}", "Step 1: …\n\nAnswer: {}")
MAX_TESTS = 32
"""Random tests of a problem that its programs run on."""
MAX_SOLUTIONS = 3
SHORT = Limits(wall_s=4.0, cpu_s=2.0)
"""Limits of wrong programs: one that loops fails every test, and would cost minutes on all of them."""
SIZES = (1, 2, 3, 5, 8, 12, 20, 30)
Answer = tuple[str, Instruction, str, bool]
"""Source of the measurement, instruction, answer, and whether it is right."""


def changed(gold: str, instruction: Instruction, rng: random.Random) -> str | None:
    """The gold answer with one thing changed, so that it is wrong; None where nothing can be changed."""
    match instruction.grader:
        case "choice":
            letters = [chr(65 + i) for i, text in enumerate(instruction.choices)
                       if text != instruction.choices[ord(gold[:1]) - 65]] if len(gold) == 1 else []  # fmt: skip
            return rng.choice(letters) if letters else None
        case "boolean":
            return {"yes": "no", "no": "yes"}.get(gold)
        case "answer_set":
            values = list(instruction.gold_set)
            place = rng.randrange(len(values))
            values[place] = (
                f"{values[place]} Ltd" if not re.search(r"\d", values[place]) else _digit(values[place], rng)
            )
            return repr(values)
        case "calls" if "'" in gold or re.search(r"=\d", gold):
            return re.sub(r"=(\d+)", lambda m: f"={int(m[1]) + 1}", gold, count=1) if re.search(r"=\d", gold) else \
                re.sub(r"='", "='other ", gold, count=1)  # fmt: skip
    return _digit(gold, rng) if re.search(r"\d", gold) else None


def _digit(text: str, rng: random.Random) -> str:
    """One digit replaced by another, none of them a leading zero's or an exponent's."""
    places = [m.start() for m in re.finditer(r"(?<![\d^{_.])[1-9]|(?<=[1-9])\d", text)]
    if not places:
        return text + "7"
    place = rng.choice(places)
    return text[:place] + rng.choice([d for d in "123456789" if d != text[place]]) + text[place + 1 :]


def differs(one: str, other: str) -> bool:
    """Independent of the graders: two numbers of different value, or texts without a common word."""
    try:
        return abs(float(one.replace(",", "")) - float(other.replace(",", ""))) > 1e-3
    except ValueError:
        words = [set(re.findall(r"\w+", text.casefold())) for text in (one, other)]
        return not words[0] & words[1]


def answers(instructions: list[Instruction], rng: random.Random) -> Iterator[Answer]:
    """Answers of known truth to seed instructions."""
    before: dict[str, Instruction] = {}
    for instruction in instructions:
        if find_grader(instruction.grader).compare is None:
            continue
        gold = stated_gold(instruction)
        yield "golds", instruction, gold, True
        if instruction.grader not in ("calls", "answer_set"):
            yield "golds in other forms", instruction, rng.choice(FORMS).format(gold), True
        if (other := changed(gold, instruction, rng)) is not None and other != gold:
            yield "changed golds", instruction, other, False
        neighbour = before.get(instruction.dataset)
        if (
            neighbour is not None
            and neighbour.grader == instruction.grader
            and differs(gold, stated_gold(neighbour))
        ):
            yield "shifted golds", neighbour, gold, False
        before[instruction.dataset] = instruction
    for case in cases():
        costly = case.group == "bombs" or "9^{9^{9" in case.answer or r"\prod" in case.answer
        if case.expected in "=!" and not costly:
            yield "hand-labelled", case.instruction, case.answer, case.expected == "="


async def measure_answers(
    instructions: list[Instruction], rng: random.Random
) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, dict[str, int]]]]:
    """Counts by kind of verdict, and by check and source for the documentation."""
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    sources: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    async with Graders(workers=2) as graders:
        for source, instruction, answer, right in answers(instructions, rng):
            found: Finding = await graders.find(instruction, answer)
            check = "format" if found.by_form else find_grader(instruction.grader).check
            counts = sources[check][source]
            counts["answers"] += 1
            if found.is_unknown:
                counts["undetermined"] += 1
                continue
            kind = kinds[f"{check}/{found.basis.name.lower()}/{'correct' if found.is_equal else 'wrong'}"]
            kind["total"] += 1
            kind["right"] += found.is_equal == right
            if found.is_equal != right:
                counts["wrong verdicts"] += 1
                print(
                    f"wrong verdict ({source}): {instruction.gold or instruction.gold_set!r} ;; {answer!r}: {found.why}"
                )
    return {k: dict(v) for k, v in sorted(kinds.items())}, {
        check: {source: dict(counts) for source, counts in sorted(by.items())}
        for check, by in sorted(sources.items())
    }


def _with_fewer_tests(instruction: Instruction, rng: random.Random) -> Instruction:
    assert instruction.tests is not None
    cases = instruction.tests.cases
    kept = tuple(rng.sample(cases, min(MAX_TESTS, len(cases))))
    return instruction.model_copy(update={"tests": instruction.tests.model_copy(update={"cases": kept})})


async def measure_tests(
    instructions: list[Instruction], rng: random.Random, problems: int
) -> dict[str, object]:
    """How many right programs fail, and what share of wrong ones passes n random tests."""
    usable = [
        i for i in instructions if i.grader == "tests" and i.tests and i.solutions and not i.tests.any_answer
    ]
    usable = [i for i in usable if i.tests and len(i.tests.cases) >= 10]
    chosen = [_with_fewer_tests(i, rng) for i in rng.sample(usable, min(problems, len(usable)))]
    right = Counter(total=0, failed=0, undetermined=0)
    passed: Counter[int] = Counter()
    total: Counter[int] = Counter()
    programs = 0
    async with open_sandbox(SandboxConfig()) as sandbox:
        slots = asyncio.Semaphore(4)

        async def judge(instruction: Instruction, program: str, own: bool) -> None:
            nonlocal programs
            assert instruction.tests is not None
            async with slots:
                report = await sandbox.run_tests(
                    program, instruction.tests, limits=Limits() if own else SHORT, stop_at_first_failure=False
                )
            if report.fault:
                return
            if own:
                verdict = verdict_from_tests(instruction.tests, report, program)
                right["total"] += verdict.label is not Label.UNDETERMINED
                right["failed"] += verdict.label is Label.WRONG
                right["undetermined"] += verdict.label is Label.UNDETERMINED
                return
            good, all_tests = sum(r.passed is True for r in report.results), len(report.results)
            if good == all_tests:
                return  # nothing shows that it is wrong
            programs += 1
            for size in SIZES:
                if size < all_tests:
                    passed[size] += round(1e6 * comb(good, size) / comb(all_tests, size))
                    total[size] += 1

        async with asyncio.TaskGroup() as group:
            for instruction, other in zip(chosen, [*chosen[1:], chosen[0]], strict=True):
                for solution in instruction.solutions[:MAX_SOLUTIONS]:
                    group.create_task(judge(instruction, solution, True))
                    for mutant in mutants(solution, 3, rng):
                        group.create_task(judge(instruction, mutant, False))
                group.create_task(judge(instruction, other.solutions[0], False))
    return {
        "problems": len(chosen),
        "right programs": dict(right),
        "wrong programs": {
            str(n): {"passed": round(passed[n] / 1e6, 2), "total": total[n]} for n in SIZES if total[n]
        },
    }


async def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--seed", action="append", default=[], metavar="DATASET=PATH", help="seed files to measure on"
    )
    parser.add_argument("--problems", type=int, default=80, help="maximum coding problems that are run")
    parser.add_argument(
        "--only", choices=["answers", "tests"], help="measure one part, keep the other's figures"
    )
    parser.add_argument("--most", type=int, default=2_000, help="maximum instructions per seed")
    parser.add_argument("--write", action="store_true", help="write the figures into the package")
    arguments = parser.parse_args()
    rng = random.Random(7)
    instructions: list[Instruction] = []
    for seed in arguments.seed:
        dataset, _, path = seed.partition("=")
        loaded = load_seed(SeedConfig(dataset=dataset, path=path), Path.cwd())
        found = [item for item in loaded if isinstance(item, Instruction)]
        instructions += found[: arguments.most]
        print(f"{dataset}: {len(found)} instructions", file=sys.stderr)
    sections: dict[str, Any] = {}
    if arguments.only != "tests":
        kinds, sources = await measure_answers(instructions, rng)
        sections |= {"answers": kinds, "by source": sources}
    if arguments.only != "answers":
        sections["tests"] = await measure_tests(instructions, rng, arguments.problems)
    print(json.dumps(sections, indent=1, ensure_ascii=False))
    if arguments.write:
        write(**sections)


if __name__ == "__main__":
    asyncio.run(main())
