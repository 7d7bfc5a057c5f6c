"""The `openai` and `openai-batch` providers: each class is imported when a model is made."""

from __future__ import annotations

from ultrainteract.config import ModelConfig
from ultrainteract.models.base import ChatModel
from ultrainteract.models.providers import Resources, provider


@provider("openai")
def _client(name: str, config: ModelConfig, resources: Resources) -> ChatModel:
    from ultrainteract.models.openai.client import OpenAIModel

    return OpenAIModel(name, config, shared=resources.shared)


@provider("openai-batch", one_process=True)
def _batch(name: str, config: ModelConfig, resources: Resources) -> ChatModel:
    from ultrainteract.models.openai.batch import OpenAIBatchModel

    return OpenAIBatchModel(name, config, shared=resources.shared, state_dir=resources.state_dir)
