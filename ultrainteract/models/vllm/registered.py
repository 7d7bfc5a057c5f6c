"""The `vllm` and `vllm-server` providers: each class is imported when a model is made."""

from __future__ import annotations

from ultrainteract.config import ModelConfig
from ultrainteract.models.base import ChatModel
from ultrainteract.models.providers import Resources, provider


@provider("vllm", one_process=True)
def _in_process(name: str, config: ModelConfig, resources: Resources) -> ChatModel:
    from ultrainteract.models.vllm.model import VLLMModel

    return VLLMModel(name, config)


@provider("vllm-server", one_process=True)
def _server(name: str, config: ModelConfig, resources: Resources) -> ChatModel:
    from ultrainteract.models.vllm.server import VLLMServerModel

    return VLLMServerModel(name, config)
