"""A vLLM server of our own: started when it is first needed, used over HTTP, ended with the run.

It is the same model as `provider: vllm` in a separate program, for setups where the engine must not share the
interpreter with the pipeline, or needs another Python environment.

Guarantees: the server listens on this machine alone, unless told otherwise; its output goes to a log; it ends when
the model is closed or this process ends, however it ends; its death ends all requests with the reason.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import sys
from asyncio.subprocess import Process
from typing import Any

from ultrainteract.config import ModelConfig
from ultrainteract.errors import ConfigError, ProviderError, require
from ultrainteract.models import build_model
from ultrainteract.models.base import ChatModel, ChatRequest, Reply
from ultrainteract.models.processes import Lazy, Lifeline, LogFolder, ending, last_words, tail

HOST = "127.0.0.1"
START_TIMEOUT_S = 1800.0
"""Default of the option `start_timeout_s`: large models are read and compiled for many minutes."""
CLOSE_S = 3.0
"""Time the server has to end by itself before it is killed."""
_POLL_S = 0.25
_KILL_PAUSE_S = 0.05
_KILL_TRIES = 20
"""A killed process is gone after a moment; where nobody reaps it, it is not waited for longer than that."""
_USAGE_ERROR = 2
"""Exit status of a command line that is wrong."""
_OWN_OPTIONS = ("log_dir", "start_timeout_s", "port", "executable", "host", "replicas")
_DEFAULTS: dict[str, Any] = {"generation_config": "vllm"}
"""Sampling is what the configuration says, not what the model's folder suggests."""


class VLLMServerModel:
    """A model behind a `vllm serve` process that belongs to it.

    `config.options` are the server's options (`max_model_len: 8192` becomes `--max-model-len 8192`), and `log_dir`,
    `start_timeout_s`, `port`, `executable` (a `vllm` program of another environment), `host` (the address to listen
    on, this machine's own alone if left out; with `VLLM_API_KEY` in the environment, which then guards it).
    `replicas` is read on a Ray cluster. All other settings are those of `provider: openai`.

    Args:
        name: Name in the configuration.
        config: Its configuration.

    Raises:
        ConfigError: No vLLM is found, or a setting makes no sense for a server of our own.
    """

    provider = "vllm-server"
    simulated = False

    def __init__(self, name: str, config: ModelConfig) -> None:
        self.name = name
        self.model = config.model
        self.config = config
        if config.base_url is not None:
            raise ConfigError(
                f"models.{name}.base_url: `vllm-server` starts a server of its own; for one that runs already use "
                f"provider: openai."
            )
        self._command = _command(config)
        self._host = str(config.options.get("host", HOST))
        self._start_timeout_s = float(config.options.get("start_timeout_s", START_TIMEOUT_S))
        self._logs = LogFolder(config.options.get("log_dir"))
        self.log = self._logs.path / f"vllm-server-{re.sub(r'[^A-Za-z0-9._-]', '_', name)}-{os.getpid()}.log"
        self._lazy = Lazy(self._start)
        self._process: Process | None = None
        self._ended: asyncio.Task[int] | None = None
        self._lifeline: Lifeline | None = None
        self._closed = False
        self._under_way: set[asyncio.Task[Reply]] = set()
        self.address = ""
        """Where the server answers, once it is started."""

    async def start(self) -> None:
        """Starts the server ahead of the first request.

        Raises:
            ConfigError: vLLM refuses the options.
            ProviderError: It does not start.
        """
        await self._client()

    async def sample(self, request: ChatRequest) -> Reply:
        """Draws up to `request.n` completions.

        Raises:
            ProviderError: As of `provider: openai`; or the server is dead (fatal).
        """
        client = await self._client()
        ended = self._ended
        assert ended is not None
        reply = asyncio.create_task(client.sample(request))
        self._under_way.add(reply)
        try:
            await asyncio.wait({reply, ended}, return_when=asyncio.FIRST_COMPLETED)
            if reply.done() and not reply.cancelled() and (reply.exception() is None or not ended.done()):
                return reply.result()
            raise self._death()
        finally:
            self._under_way.discard(reply)
            if not reply.done():
                reply.cancel()
                await asyncio.wait({reply})

    async def close(self) -> None:
        """Ends the server within seconds. Idempotent; requests in flight fail."""
        if self._closed:
            return
        self._closed = True
        for reply in self._under_way:  # a server that ends politely would answer them first
            reply.cancel()
        client = await self._lazy.stop()
        if client is not None:
            await client.close()
        failed = self._ended is not None and self._ended.done()
        await self._end()
        self._logs.close(keep=failed)

    # -------------------------------------------------------------------------------------------- the server

    async def _client(self) -> ChatModel:
        if self._closed:
            raise ProviderError(f"Model '{self.name}' was closed.", fatal=True)
        return await self._lazy.get()

    async def _start(self) -> ChatModel:
        port = int(self.config.options.get("port") or _free_port(self._host))
        self._logs.path.mkdir(parents=True, exist_ok=True)
        self._lifeline = Lifeline()
        with self.log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, "--host", self._host, "--port", str(port),
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=asyncio.subprocess.STDOUT,
                start_new_session=True, env={"VLLM_NO_USAGE_STATS": "1", **os.environ},
            )  # fmt: skip
        self._lifeline.hold(-self._process.pid)
        self._ended = asyncio.create_task(self._process.wait())
        try:
            async with asyncio.timeout(self._start_timeout_s):
                await self._until_ready(f"http://{self._host}:{port}/health", self._ended)
        except TimeoutError:
            await self._end()
            raise ProviderError(
                f"vLLM's server for model '{self.name}' was not ready within {self._start_timeout_s:.0f} s; "
                f"options.start_timeout_s allows more. The end of its log, {self.log}:\n{tail(self.log)}",
                fatal=True,
            ) from None
        except BaseException:  # cancelled, or ended: either way nothing may stay behind
            await self._end()
            raise
        self.address = f"http://{self._host}:{port}/v1"
        client = {"provider": "openai", "base_url": self.address, "options": {}}
        served = self.config.options.get("served_model_name")
        if served:
            client["model"] = served if isinstance(served, str) else served[0]
        return build_model(self.name, self.config.model_copy(update=client))

    async def _until_ready(self, address: str, ended: asyncio.Task[int]) -> None:
        import aiohttp

        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            while not ended.done():
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    async with session.get(address) as answer:
                        if answer.status == 200:
                            return
                await asyncio.wait({ended}, timeout=_POLL_S)
        raise self._death()

    def _death(self) -> ProviderError | ConfigError:
        if self._closed:
            return ProviderError(f"Model '{self.name}' was closed with requests in flight.", fatal=True)
        assert self._ended is not None
        status, reason = self._ended.result(), last_words(self.log)
        message = (
            f"vLLM's server for model '{self.name}' ({self.model}) {ending(status)}{reason and ': '}{reason}\n"
            f"The end of its log, {self.log}:\n{tail(self.log)}"
        )
        return ConfigError(message) if status == _USAGE_ERROR else ProviderError(message, fatal=True)

    async def _end(self) -> None:
        """Ends the server and its children: first politely, then not."""
        if self._process is not None and self._ended is not None:
            self._signal(signal.SIGTERM)
            await asyncio.wait({self._ended}, timeout=CLOSE_S)
            for _ in range(_KILL_TRIES):  # its children too, where they outlive it
                if not self._signal(signal.SIGKILL):
                    break
                await asyncio.sleep(_KILL_PAUSE_S)
            await asyncio.wait({self._ended})
        if self._lifeline is not None:
            await asyncio.to_thread(self._lifeline.release)

    def _signal(self, number: int) -> bool:
        """Sends a signal to the server and its children; False where none is left."""
        assert self._process is not None
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return False
        return True


def _command(config: ModelConfig) -> list[str]:
    """The command line, but for the address."""
    executable = config.options.get("executable")
    if executable is None and importlib.util.find_spec("vllm") is None:
        executable = shutil.which("vllm")
        if executable is None:
            require("vllm", "vllm")
    program = [str(executable)] if executable else [sys.executable, "-m", "vllm.entrypoints.cli.main"]
    command = [*program, "serve", config.model]
    options = {key: value for key, value in config.options.items() if key not in _OWN_OPTIONS}
    for key, value in {**_DEFAULTS, **options}.items():
        flag = key.replace("_", "-")
        if isinstance(value, bool):
            command.append(f"--{flag}" if value else f"--no-{flag}")
        elif isinstance(value, (list, tuple)):
            command += [f"--{flag}", *map(str, value)]
        elif isinstance(value, dict):
            command += [f"--{flag}", json.dumps(value)]
        elif value is not None:
            command += [f"--{flag}", str(value)]
    return command


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
    return port
