"""One run is one `RunConfig`: a YAML file, with dotted overrides from the command line.

Every field has a docstring; `ultrainteract config docs` prints them as the reference. Secrets are never
fields: a model names the *environment variable* that holds its key.
"""

from __future__ import annotations

from ultrainteract.config.evaluation import EvaluationConfig
from ultrainteract.config.execution import BudgetConfig, ExecutorConfig, Shard
from ultrainteract.config.exporting import ExportConfig, ExportFilter, MixSource, PublishConfig
from ultrainteract.config.growth import CriticConfig, EarlyEscalation, GrowthConfig, JudgeConfig, LadderStep
from ultrainteract.config.loading import apply_overrides, load_config, load_train_config, parse_config
from ultrainteract.config.models import REASONING_TAGS, CallingConfig, ModelConfig, Price
from ultrainteract.config.principles import Principle, PrinciplesConfig
from ultrainteract.config.reference import config_docs
from ultrainteract.config.rollouts import RolloutConfig
from ultrainteract.config.run import RunConfig
from ultrainteract.config.sandbox import Limits, SandboxConfig
from ultrainteract.config.seeds import BenchmarkConfig, FieldMapping, RuleConfig, SeedConfig, SelectionConfig
from ultrainteract.config.training import TrainConfig
from ultrainteract.config.types import Fraction

__all__ = [
    "REASONING_TAGS",
    "BenchmarkConfig",
    "BudgetConfig",
    "CallingConfig",
    "CriticConfig",
    "EarlyEscalation",
    "EvaluationConfig",
    "ExecutorConfig",
    "ExportConfig",
    "ExportFilter",
    "FieldMapping",
    "Fraction",
    "GrowthConfig",
    "JudgeConfig",
    "LadderStep",
    "Limits",
    "MixSource",
    "ModelConfig",
    "Price",
    "Principle",
    "PrinciplesConfig",
    "PublishConfig",
    "RolloutConfig",
    "RuleConfig",
    "RunConfig",
    "SandboxConfig",
    "SeedConfig",
    "SelectionConfig",
    "Shard",
    "TrainConfig",
    "apply_overrides",
    "config_docs",
    "load_config",
    "load_train_config",
    "parse_config",
]
