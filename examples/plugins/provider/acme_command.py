"""A model provider: asks a program; the last message on its standard input, the answer on its standard output.

In a configuration:

    models:
      actor:
        provider: acme-command
        model: /opt/models/answer
        max_concurrency: 4
        options: {arguments: [--brief]}
"""

from __future__ import annotations

import asyncio

from ultrainteract.config import ModelConfig
from ultrainteract.errors import ProviderError
from ultrainteract.models import Resources, provider
from ultrainteract.models.base import ChatRequest, Completion, Reply
from ultrainteract.schema import Usage


@provider("acme-command")
class CommandModel:
    """A program as a model. It owns its retries: what it raises is final."""

    provider = "acme-command"
    simulated = False

    def __init__(self, name: str, config: ModelConfig, resources: Resources) -> None:
        self.name, self.model, self.config, self.resources = name, config.model, config, resources

    async def sample(self, request: ChatRequest) -> Reply:
        """Draws one of the `n` samples that are wanted; the caller asks again for the rest."""
        question = request.messages[-1].content
        length = len(question.split())
        async with self.resources.reserve(self.config, self.model, length, 100) as reserved:
            process = await asyncio.create_subprocess_exec(
                self.model,
                *self.config.options.get("arguments", []),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            async with asyncio.timeout(self.config.timeout_s):
                output, _ = await process.communicate(question.encode())
            if process.returncode != 0:
                raise ProviderError(f"{self.model} ended with status {process.returncode}.")
            text = output.decode()
            reserved.usage = Usage(prompt_tokens=length, completion_tokens=len(text.split()))
        return Reply(completions=(Completion(text=text),), usage=reserved.usage)

    async def close(self) -> None:
        """Nothing is kept open between requests."""
