"""How models are trained on what was built: one file, with a section for each stage.

A stage is SFT, a preference loss, or the reward model. Its rows are an export of the data (`export`, as in a run's
configuration), so that what is trained on is what `ultrainteract export` would write. Class defaults suit small
models; `configs/train/paper-7b.yaml` is the paper's recipe.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import Field, PositiveInt, field_validator, model_validator

from ultrainteract.config.exporting import ExportConfig
from ultrainteract.config.types import Fraction, NonNegativeFloat, PositiveFloat, UserPath
from ultrainteract.schema import Record

Stage = Literal["sft", "dpo", "kto", "nca", "reward"]
STAGES: tuple[Stage, ...] = get_args(Stage)
"""All stages, in the order in which the paper has them."""


class LoraSettings(Record):
    """Low-rank adapters instead of full tuning. Their learning rate is about ten times that of full tuning."""

    r: PositiveInt = 16
    """Rank."""
    alpha: PositiveInt = 32
    """Scale, divided by the rank."""
    dropout: Fraction = 0.0
    """Dropout of the adapters' input."""
    targets: str | tuple[str, ...] = "all-linear"
    """Names of the modules that get adapters."""


class StageConfig(Record):
    """What all stages have in common."""

    start: str | None = Field(default=None, min_length=1)
    """Model to start from: a folder, a Hub id, or another stage of this file, whose model is then used. The stage `sft`
    where the file has one, else `model`, if None."""
    export: ExportConfig = ExportConfig()
    """Which rows are trained on, and what is mixed in; its `formats` are set by the stage."""
    limit: PositiveInt | None = None
    """Maximum number of rows, drawn by their prompts' hashes; all if None. A pair taken apart for KTO counts as two."""
    max_length: PositiveInt | None = None
    """Maximum length, tokens; that of the longest row, within the model's context, if None."""
    overlong: Literal["drop", "cut"] = "drop"
    """What becomes of rows over `max_length`: dropped, or the completion is cut, so that its end is not learned. Rows
    whose prompt alone fills it are always dropped, and so are a reward model's."""
    learning_rate: PositiveFloat = 1e-5
    """Peak learning rate."""
    scheduler: str = "cosine"
    """Name of the learning rate schedule, as of `transformers`."""
    warmup: Fraction = 0.1
    """Share of the steps during which the learning rate rises."""
    weight_decay: NonNegativeFloat = 0.0
    """Weight decay of AdamW."""
    epochs: PositiveFloat = Field(default=1.0, le=1_000_000)
    """Passes over the rows."""
    max_steps: PositiveInt | None = None
    """Stop after so many optimizer steps."""
    batch_size: PositiveInt = 32
    """Rows per optimizer step, over all devices."""
    micro_batch_size: PositiveInt = 4
    """Rows per device and forward pass; the rest is accumulated."""
    lora: LoraSettings | None = None
    """Adapters; full tuning if None. The model that is saved has them merged in."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Further arguments of TRL's configuration for this trainer, such as `packing: true`."""

    @model_validator(mode="after")
    def _formats_are_the_stages(self) -> Self:
        if "formats" in self.export.model_fields_set:
            raise ValueError("export.formats: the stage decides the format; leave it out")
        return self

    @field_validator("options")
    @classmethod
    def _options_are_finite(cls, options: dict[str, Any]) -> dict[str, Any]:
        for name, value in options.items():
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"{name} is not a finite number")
        return options


class SftStage(StageConfig):
    """Supervised fine-tuning on correct actions; the completion alone is learned."""

    learning_rate: PositiveFloat = 2e-5
    """Peak learning rate."""


class PreferenceStage(StageConfig):
    """Preference learning against the start model as the reference."""

    learning_rate: PositiveFloat = 1e-6
    """Peak learning rate."""
    beta: PositiveFloat = 0.1
    """Scale of the implicit reward."""
    precompute_reference: bool = True
    """Compute the reference's log-probabilities once, before training, so that it takes no memory afterwards."""


class DpoStage(PreferenceStage):
    """Direct preference optimization."""

    sft_weight: NonNegativeFloat = 0.0
    """Weight of an added SFT loss on the chosen side, which keeps its likelihood from falling."""


class KtoStage(PreferenceStage):
    """Kahneman-Tversky optimization, on pairs taken apart."""

    desirable_weight: PositiveFloat = 1.33
    """Weight of the wanted completions."""
    undesirable_weight: PositiveFloat = 1.0
    """Weight of the unwanted completions."""

    @model_validator(mode="after")
    def _rows_to_mismatch(self) -> Self:
        if self.micro_batch_size < 2:
            raise ValueError(
                "micro_batch_size: KTO pairs a prompt with the completion of its neighbour: take 2 or more"
            )
        return self


class NcaStage(PreferenceStage):
    """Noise contrastive alignment, on pairs."""


class RewardStage(StageConfig):
    """A reward model: Bradley-Terry, and the paper's term on absolute rewards where rows allow it."""

    loss: Literal["bt+dr", "bt", "dr"] = "bt+dr"
    """Loss on rows marked `direct`: both terms, or one alone (ablations). Other rows have Bradley-Terry always."""


class RoundsConfig(Record):
    """On-policy iteration: trees by the current model, training on them, trees by the new model, and so on."""

    count: PositiveInt = 2
    """Number of rounds."""
    run: UserPath
    """Configuration of the run that grows the trees; relative to this file."""
    actor: str
    """Key in its `models` of the model that is replaced by the current checkpoint."""
    stages: tuple[Stage, ...] = Field(default=("dpo",), min_length=1)
    """Stages trained in each round, one after the other, each from the model of the one before."""
    evaluation: UserPath | None = None
    """Configuration of an evaluation of each round's model; relative to this file. Its `model` is replaced as the actor
    is."""


class TrainConfig(Record):
    """Everything that training depends on."""

    name: str = Field(default="train", pattern=r"^[A-Za-z0-9._-]+$")
    """Name of the recipe."""
    model: str = Field(min_length=1)
    """Model to start from: a folder or a Hub id."""
    revision: str | None = None
    """Its Hub revision."""
    data: str | tuple[str, ...]
    """What to train on: run directories, folders of exports, files, or Hub dataset ids."""
    data_revision: str | None = None
    """Revision of Hub datasets."""
    output: UserPath = Path("runs/train")
    """Folder that gets one folder for each stage."""
    seed: int = Field(default=0, ge=0, lt=2**32)
    """Seed of every random choice; at least 0 and less than 2³²."""
    chat_template: UserPath | None = None
    """Jinja file with the chat template, for models that have none; relative to this file. Saved with the model."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Precision of the computation; `auto` is bfloat16 where a GPU has it, else float32."""
    device: Literal["auto", "cpu"] = "auto"
    """`cpu` leaves GPUs alone."""
    gradient_checkpointing: bool = False
    """Recompute activations instead of keeping them: less memory, about a fifth slower."""
    logging_steps: PositiveInt = 1
    """Steps between two entries of the log, and so between two points of the reward patterns."""
    save_steps: PositiveInt | None = None
    """Steps between two checkpoints to resume from; a stage that is stopped begins anew if None."""
    sft: SftStage | None = None
    """The stage `sft`."""
    dpo: DpoStage | None = None
    """The stage `dpo`."""
    kto: KtoStage | None = None
    """The stage `kto`."""
    nca: NcaStage | None = None
    """The stage `nca`."""
    reward: RewardStage | None = None
    """The stage `reward`."""
    rounds: RoundsConfig | None = None
    """On-policy iteration (`ultrainteract train rounds`)."""

    @field_validator("data")
    @classmethod
    def _places_are_named(cls, data: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if not data or not all(data):
            raise ValueError("name at least one run directory, folder, file or Hub dataset")
        return data

    @property
    def places(self) -> tuple[str, ...]:
        """All places of `data`."""
        return (self.data,) if isinstance(self.data, str) else self.data
