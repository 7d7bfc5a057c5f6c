"""One stage from rows to a saved model: prepared, trained, resumed, reported.

A stage's folder holds its rows, its checkpoints while it trains, the reward patterns, the model, and last of all the
report. Where the report is there and nothing has changed, nothing is done; where a checkpoint is there, training goes
on from it; a checkpoint of another recipe is refused.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ultrainteract._version import __version__
from ultrainteract.config.training import (
    DpoStage,
    KtoStage,
    PreferenceStage,
    RewardStage,
    Stage,
    StageConfig,
    TrainConfig,
)
from ultrainteract.errors import ConfigError, require
from ultrainteract.exporting.writer import replace_folder
from ultrainteract.schema import content_hash
from ultrainteract.training.checkpoints import (
    ADAPTER,
    MODEL,
    REPORT,
    context_of,
    digest,
    load_model,
    merge_adapter,
    start_of,
)
from ultrainteract.training.encoding import Encoder, load_tokenizer
from ultrainteract.training.patterns import draw_patterns, reward_patterns
from ultrainteract.training.plan import TrainPlan, TrainReport
from ultrainteract.training.rows import StageRows, write_rows
from ultrainteract.training.tokens import Prepared, tokenize

CHECKPOINTS = "checkpoints"
"""Folder, in a stage's folder, of what training is resumed from."""
DATA = "data"
"""Folder, in a stage's folder, of the rows that its model was trained on."""
TOKENS = "tokens"
"""End of the name of the folder, beside a stage's rows, that holds their token ids while it trains."""
_RECIPE = "recipe.json"
_LIBRARIES = ("torch", "transformers", "trl", "accelerate", "peft", "datasets")


def section_of(config: TrainConfig, stage: Stage) -> StageConfig:
    """A stage's settings.

    Raises:
        ConfigError: The file has no such section.
    """
    section: StageConfig | None = getattr(config, stage)
    if section is None:
        raise ConfigError(
            f"The configuration has no section `{stage}`: add one (`{stage}: {{}}` takes the defaults)."
        )
    return section


def prepare(
    config: TrainConfig, stage: Stage, folder: Path, base: Path
) -> tuple[StageRows, Prepared, str, Any]:
    """Rows, token ids, start model and tokenizer of a stage.

    Args:
        config: The recipe.
        stage: The stage.
        folder: Where the rows are written, with their token ids in a folder beside it.
        base: Folder that paths of the configuration resolve against.

    Raises:
        ConfigError: The settings do not fit together, or a model is missing.
        DataError: There is nothing to train on.
        StoreError: A run cannot be read, or the rows cannot be written.
    """
    for module in ("torch", "trl", "transformers"):
        require(module, "train")
    os.environ.setdefault("TQDM_DISABLE", "1")  # TRL's own bars
    import datasets
    import transformers

    section = section_of(config, stage)
    start = start_of(config, stage, section)
    revision = config.revision if start == config.model else None
    template = config.chat_template
    if template is not None and not template.is_absolute() and (base / template).exists():
        template = base / template
    tokenizer = load_tokenizer(start, revision, template)
    rows = write_rows(stage, config.places, section.export, folder, config.data_revision)
    cache = folder.with_name(f"{folder.name}.{TOKENS}")
    shutil.rmtree(cache, ignore_errors=True)
    datasets.disable_progress_bars()
    transformers.utils.logging.disable_progress_bar()
    prepared = tokenize(
        stage,
        section,
        rows,
        Encoder(tokenizer),
        cache=cache,
        context=context_of(start, revision),
        start=start,
        seed=config.seed,
    )
    _arguments(config, stage, section, folder, prepared.plan)  # TRL refuses settings before it trains
    return rows, prepared, start, tokenizer


def train_stage(
    config: TrainConfig,
    stage: Stage,
    *,
    base: Path = Path(),
    again: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> TrainReport:
    """Trains one stage, or goes on where it stopped.

    Args:
        config: The recipe.
        stage: The stage.
        base: Folder that paths of the configuration resolve against.
        again: Begin anew, whatever is there.
        say: Called with what is done and found, a line each.

    Raises:
        ConfigError: The settings do not fit together, or the folder holds another recipe's checkpoints.
        DataError: There is nothing to train on.
        StoreError: A run cannot be read, or the rows cannot be written.
    """
    require("torch", "train")
    from accelerate import PartialState

    section, folder = section_of(config, stage), config.output / stage
    state = PartialState(cpu=config.device == "cpu")
    with state.main_process_first():
        rows_folder = folder / f".data-{state.process_index}"  # `data` stays that of the model that is there
        if again and state.is_main_process:
            shutil.rmtree(folder, ignore_errors=True)
        rows, prepared, start, tokenizer = prepare(config, stage, rows_folder, base)
    revision = config.revision if start == config.model else None
    data_digest = content_hash(
        [[content_hash(row) for row in part] for part in (prepared.train, prepared.validation or ())]
    )
    start_digest = digest(start, revision)
    recipe = content_hash(
        [stage, section, config.seed, config.dtype, data_digest, start_digest, tokenizer.chat_template]
    )
    known = _known(folder, recipe)
    if known is not None:
        for spent in folder.glob(".data-*"):
            shutil.rmtree(spent, ignore_errors=True)
        say(f"{folder} holds this model already.")
        return known
    for warning in prepared.plan.warnings:
        say(f"warning: {warning}")
    state.wait_for_everyone()
    if state.is_main_process:
        replace_folder(rows_folder, folder / DATA)
        (folder / _RECIPE).write_text(f'"{recipe}"\n', encoding="utf-8")
    trainer, session, resumed = _train(
        config, stage, section, folder, prepared, start, revision, tokenizer, say
    )
    _save(trainer, stage, section, folder, start, revision, tokenizer)
    patterns = reward_patterns(stage, trainer.state.log_history)
    report = TrainReport(
        stage=stage,
        fingerprint=recipe,
        start=start,
        start_digest=start_digest,
        data=rows.info.name,
        data_fingerprint=rows.info.fingerprint,
        data_revisions=rows.revisions,
        data_digest=data_digest,
        simulated=rows.info.simulated,
        plan=prepared.plan,
        steps=trainer.state.global_step,
        seconds=session["train_runtime"],
        tokens_per_s=session["tokens"] / session["train_runtime"],
        resumed_from=resumed,
        metrics=_metrics(trainer.state.log_history),
        versions={"ultrainteract": __version__} | {name: version(name) for name in _installed()},
        warnings=patterns.warnings if patterns else (),
    )
    if state.is_main_process:
        if patterns is not None:
            for line in draw_patterns(patterns, folder):
                say(line)
        (folder / REPORT).write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
        for spent in (folder / CHECKPOINTS, *folder.glob(".data-*")):
            shutil.rmtree(spent, ignore_errors=True)
    for warning in report.warnings:
        say(f"warning: {warning}")
    state.wait_for_everyone()
    return report


def _known(folder: Path, recipe: str) -> TrainReport | None:
    """The report of this very training, if it is finished.

    Raises:
        ConfigError: The folder holds the model, or checkpoints, of another recipe.
    """
    if (folder / REPORT).is_file():
        report = TrainReport.model_validate_json((folder / REPORT).read_bytes())
        if report.fingerprint == recipe:
            return report
    elif not list((folder / CHECKPOINTS).glob("checkpoint-*")) or (
        (folder / _RECIPE).is_file() and (folder / _RECIPE).read_text(encoding="utf-8").strip('"\n') == recipe
    ):
        return None
    raise ConfigError(
        f"{folder} belongs to another recipe, other data or another start model. Name another output, or begin anew "
        "with --again."
    )


def _train(
    config: TrainConfig, stage: Stage, section: StageConfig, folder: Path, prepared: Prepared, start: str,
    revision: str | None, tokenizer: Any, say: Callable[[str], None],
) -> tuple[Any, dict[str, float], int | None]:  # fmt: skip
    from transformers import PrinterCallback, set_seed
    from transformers.trainer_utils import get_last_checkpoint

    from ultrainteract.training.trl import trainers

    set_seed(config.seed)
    arguments = _arguments(config, stage, section, folder, prepared.plan)
    import torch

    low = arguments.bf16 and section.lora is not None
    model = load_model(stage, start, tokenizer, revision, torch.bfloat16 if low else None)
    options: dict[str, Any] = {
        "model": model, "args": arguments, "train_dataset": prepared.train, "eval_dataset": prepared.validation,
        "processing_class": tokenizer, "peft_config": _peft(section, stage),
    }  # fmt: skip
    if isinstance(section, RewardStage):
        trainer: Any = trainers.Reward(section=section, pad=tokenizer.pad_token_id, **options)
    else:
        kind = {"sft": trainers.Sft, "kto": trainers.Kto}.get(stage, trainers.Dpo)
        trainer = kind(**options)
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(trainers.Progress(say))
    checkpoints = folder / CHECKPOINTS
    last = get_last_checkpoint(str(checkpoints)) if checkpoints.is_dir() else None
    resumed = int(last.rpartition("-")[2]) if last else None
    session = trainer.train(resume_from_checkpoint=last).metrics
    session["tokens"] = trainer._total_train_tokens
    if prepared.validation is not None:
        trainer.evaluate()
    return trainer, session, resumed


def _arguments(config: TrainConfig, stage: Stage, section: StageConfig, folder: Path, plan: TrainPlan) -> Any:
    """TRL's configuration for a stage.

    Raises:
        ConfigError: The batch cannot be divided among the devices, or `options` has an unknown argument.
    """
    import torch
    from accelerate import PartialState
    from trl import DPOConfig, KTOConfig, RewardConfig, SFTConfig

    cpu = config.device == "cpu" or not torch.cuda.is_available()
    low = config.dtype == "bfloat16" or (
        config.dtype == "auto" and not cpu and torch.cuda.is_bf16_supported()
    )
    processes = PartialState(cpu=config.device == "cpu").num_processes
    micro = min(section.micro_batch_size, section.batch_size)
    accumulated, rest = divmod(section.batch_size, micro * processes)
    if rest or not accumulated:
        raise ConfigError(
            f"{stage}.batch_size {section.batch_size} is no multiple of {micro} rows on each of {processes} "
            "process(es): change batch_size or micro_batch_size."
        )
    options: dict[str, Any] = {
        "output_dir": str(folder / CHECKPOINTS),
        "learning_rate": section.learning_rate,
        "lr_scheduler_type": section.scheduler,
        "warmup_steps": section.warmup if section.warmup < 1 else plan.steps,
        "weight_decay": section.weight_decay,
        "num_train_epochs": section.epochs,
        "max_steps": section.max_steps or -1,
        "per_device_train_batch_size": micro,
        "per_device_eval_batch_size": micro,
        "gradient_accumulation_steps": accumulated,
        "gradient_checkpointing": config.gradient_checkpointing,
        "max_length": plan.max_length,
        "bf16": low,
        "use_cpu": cpu,
        "seed": config.seed,
        "data_seed": config.seed,
        "logging_steps": config.logging_steps,
        "save_strategy": "no" if config.save_steps is None else "steps",
        "save_steps": config.save_steps or 500,
        "save_total_limit": 2,
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": not cpu,
    }
    kind: Any = {"sft": SFTConfig, "kto": KTOConfig, "reward": RewardConfig}.get(stage, DPOConfig)
    if isinstance(section, PreferenceStage):
        options |= {"beta": section.beta, "precompute_ref_log_probs": section.precompute_reference}
    if isinstance(section, KtoStage):
        options |= {
            "desirable_weight": section.desirable_weight,
            "undesirable_weight": section.undesirable_weight,
        }
    if stage == "nca":
        options["loss_type"] = ["nca_pair"]
    if isinstance(section, DpoStage) and section.sft_weight:
        options |= {"loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, section.sft_weight]}
    try:
        return kind(**options | section.options)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{stage}: TRL refuses these settings: {error}") from error


def _peft(section: StageConfig, stage: Stage) -> Any:
    if section.lora is None:
        return None
    require("peft", "train")
    from peft import LoraConfig

    targets = section.lora.targets
    return LoraConfig(
        r=section.lora.r,
        lora_alpha=section.lora.alpha,
        lora_dropout=section.lora.dropout,
        target_modules=targets if isinstance(targets, str) else list(targets),
        task_type="SEQ_CLS" if stage == "reward" else "CAUSAL_LM",
        modules_to_save=["score"] if stage == "reward" else None,
    )


def _save(
    trainer: Any, stage: Stage, section: StageConfig, folder: Path, start: str, revision: str | None, tokenizer: Any
) -> None:  # fmt: skip
    """Saves the model beside a temporary name, and then puts it in place."""
    target = folder / f".{MODEL}"
    trainer.save_model(str(folder / ADAPTER if section.lora else target))
    if trainer.is_world_process_zero():
        if section.lora:
            merge_adapter(stage, start, folder / ADAPTER, target, revision)
        tokenizer.save_pretrained(target)
        (target / "training_args.bin").unlink(missing_ok=True)
        shutil.rmtree(folder / MODEL, ignore_errors=True)
        target.rename(folder / MODEL)


def _metrics(log: list[dict[str, Any]]) -> dict[str, float]:
    """The last value of everything that was logged."""
    found: dict[str, float] = {}
    for entry in log:
        found |= {name: float(value) for name, value in entry.items() if isinstance(value, int | float)}
    return {name: value for name, value in found.items() if name not in ("step", "total_flos")}


def _installed() -> list[str]:
    from importlib.util import find_spec

    return [name for name in _LIBRARIES if find_spec(name) is not None]
