#!/usr/bin/env python3
"""Measures training against TRL's own trainers on the same rows, model and settings, in the same run, turn by turn.

    scripts/bench/train.py [--check] [--steps 12] [--repeats 3] [--stages sft dpo]

The peer is the script that TRL's documentation shows: the exported rows and a trainer, which templates, tokenizes and
masks by itself. What is compared is tokens per second from rows on the disk to the last step, and of the steps alone;
`--check` asks for 0.95 of its rate. Run it in an environment with the extra `train`; the model is made on the spot.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ |= {"HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1", "TOKENIZERS_PARALLELISM": "false"}
sys.path.insert(0, str(Path(__file__).parents[2]))

from _report import finish

from tests.exporting.forest import copies
from tests.tinymodel import Shape, build_tiny_model
from ultrainteract import export, train
from ultrainteract.config import ExportConfig, TrainConfig
from ultrainteract.exporting import RunInfo, export_trees
from ultrainteract.training.rows import FORMATS

LEAST = 0.95
SHAPE = Shape(hidden=256, layers=6, heads=4, kv_heads=2, intermediate=768)
BATCH, LENGTH, SEED = 8, 512, 7


def ours(stage: str, model: str, data: str, folder: Path, steps: int) -> tuple[float, float]:
    """(tokens per second from rows to the last step, of the steps alone)."""
    section = {
        "batch_size": BATCH,
        "micro_batch_size": BATCH,
        "max_steps": steps,
        "max_length": LENGTH,
        "epochs": 100,
    }
    config = TrainConfig.model_validate(
        {
            "model": model,
            "data": data,
            "output": folder,
            "device": "cpu",
            "dtype": "float32",
            "seed": SEED,
            stage: section,
        }
    )
    began = time.perf_counter()
    report = train(config, stage, again=True)  # type: ignore[arg-type]
    tokens = report.tokens_per_s * report.seconds
    return tokens / (time.perf_counter() - began), report.tokens_per_s


def bare(stage: str, model: str, rows: str, folder: Path, steps: int) -> tuple[float, float]:
    """The same by TRL alone."""
    import datasets
    from transformers import AutoTokenizer
    from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

    config, trainer = {"sft": (SFTConfig, SFTTrainer), "dpo": (DPOConfig, DPOTrainer)}[stage]
    began = time.perf_counter()
    data = datasets.load_dataset(rows, split="train", cache_dir=str(folder / "cache"))
    options: dict[str, Any] = {
        "output_dir": str(folder / "out"), "max_steps": steps, "per_device_train_batch_size": BATCH,
        "max_length": LENGTH,
        "report_to": "none", "use_cpu": True, "bf16": False, "gradient_checkpointing": False, "logging_steps": 1,
        "save_strategy": "no", "disable_tqdm": True, "dataloader_pin_memory": False,
        "seed": SEED, "data_seed": SEED,  # other batches hold other shares of padding
    }  # fmt: skip
    if stage == "dpo":
        options["precompute_ref_log_probs"] = True
    run = trainer(
        model=model,
        args=config(**options),
        train_dataset=data,
        processing_class=AutoTokenizer.from_pretrained(model),
    )
    alone = run.train().metrics["train_runtime"]
    run.save_model(str(folder / "model"))
    tokens = run._total_train_tokens
    return tokens / (time.perf_counter() - began), tokens / alone


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--stages", nargs="+", default=["sft", "dpo"], choices=["sft", "dpo"])
    arguments = parser.parse_args()
    ratios: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = str(build_tiny_model(folder / "start", shape=SHAPE))
        info = RunInfo(name="forest", fingerprint="0" * 64)
        export_trees(copies(12), folder / "trees", ExportConfig(formats=("trees",)), info)
        for stage in arguments.stages:
            export(str(folder / "trees"), folder / "rows", changes={"formats": [FORMATS[stage]]})
            rates: dict[str, list[tuple[float, float]]] = {"ours": [], "bare": []}
            for turn in range(arguments.repeats + 1):  # the first one loads libraries
                place = folder / f"{stage}-{turn}"
                pair = {
                    "ours": ours(stage, model, str(folder / "trees"), place / "ours", arguments.steps),
                    "bare": bare(
                        stage, model, str(folder / "rows" / FORMATS[stage]), place / "bare", arguments.steps
                    ),
                }
                if turn:
                    for name, rate in pair.items():
                        rates[name].append(rate)
            for at, what in enumerate(("rows to last step", "steps alone")):
                mean = {name: statistics.median(rate[at] for rate in found) for name, found in rates.items()}
                print(f"{stage}, {what}: {mean['ours']:,.0f} tokens/s, TRL alone {mean['bare']:,.0f}")
                ratios[f"{stage} {what}"] = mean["ours"] / mean["bare"]
    targets = {name: (">=", LEAST) for name in ratios if name.endswith("steps alone")}
    finish(ratios, targets, check=arguments.check)


if __name__ == "__main__":
    main()
