"""The life of a vLLM engine inside this process: its arguments, its start, its pulse, its end.

vLLM runs the network in child processes. This module guarantees that they start in a clean interpreter (so
that they inherit no lock, file or thread of the run), are untouched by a Ctrl-C meant for the run, send no
usage statistics, write to a log of their own instead of standard output, and are gone when the engine is
closed or this process ends, however it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ultrainteract.config import ModelConfig
from ultrainteract.errors import ConfigError, ProviderError
from ultrainteract.models.processes import Lazy, Lifeline, LogFolder, ending, last_words

if TYPE_CHECKING:
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.v1.engine.async_llm import AsyncLLM

START_TIMEOUT_S = 1800.0
"""Default of the option `start_timeout_s`: large models are read and compiled for many minutes."""
CLOSE_S = 2.5
"""Time the engine has to free its devices before its processes are killed."""
PULSE_S = 15.0
"""How often the engine is asked whether it is alive."""
_ADOPT_S = 0.1
_OWN_OPTIONS = ("log_dir", "start_timeout_s")
_DEFAULTS: dict[str, Any] = {"disable_log_stats": True, "enable_log_requests": False}

_starting = threading.Lock()
"""Held while an engine starts: it measures the free memory of its device, and the environment is changed."""


def engine_arguments(name: str, config: ModelConfig, log: Path) -> AsyncEngineArgs:
    """The engine's arguments, from `config.options`.

    Args:
        name: The model's name in the configuration.
        config: Its configuration.
        log: Where vLLM's messages in this process go, if it was not imported before.

    Raises:
        ConfigError: vLLM has no such option.
    """
    with _environment(log):
        from vllm.engine.arg_utils import AsyncEngineArgs
    known = {field.name for field in dataclasses.fields(AsyncEngineArgs)}
    given = {key: value for key, value in config.options.items() if key not in _OWN_OPTIONS}
    unknown = sorted(set(given) - (known - {"model"}))
    if unknown:
        raise ConfigError(
            f"models.{name}.options: vLLM has no engine argument {', '.join(map(repr, unknown))}. "
            f"`vllm serve --help=all` lists them; write them with underscores."
        )
    try:
        return AsyncEngineArgs(model=config.model, **_DEFAULTS | given)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"models.{name}.options: {error}") from error


class Engine:
    """A vLLM engine, started at the first `get`.

    Args:
        name: The model's name in the configuration.
        config: Its configuration.

    Raises:
        ConfigError: An option is unknown or wrong.
    """

    def __init__(self, name: str, config: ModelConfig) -> None:
        self._name = name
        self._model = config.model
        self._pulse_timeout_s = config.timeout_s
        self._start_timeout_s = float(config.options.get("start_timeout_s", START_TIMEOUT_S))
        self._logs = LogFolder(config.options.get("log_dir"))
        self.log = self._logs.path / f"vllm-{os.getpid()}-{id(self):x}.log"
        self._arguments = engine_arguments(name, config, self.log)
        self._lazy = Lazy(self._start)
        self._strangers: frozenset[Any] | None = None  # child processes that were there before the engine's
        self._children: list[Any] = []
        self._lifeline: Lifeline | None = None
        self._pulse: asyncio.Task[None] | None = None
        self.closed = False
        """`close` was called, or the start was given up."""
        self._died = ""

    async def get(self) -> AsyncLLM:
        """The running engine.

        Raises:
            ConfigError: vLLM refuses the options.
            ProviderError: It does not start, or was closed; always fatal.
        """
        if self.closed:
            raise ProviderError(f"Model '{self._name}' was closed.", fatal=True)
        return await self._lazy.get()

    def death(self) -> ProviderError:
        """The error for requests that the engine's end leaves unanswered, with the reason where one is known."""
        if self.closed:
            return ProviderError(f"Model '{self._name}' was closed with requests in flight.", fatal=True)
        return ProviderError(
            f"The vLLM engine of model '{self._name}' ({self._model}) is dead: {self._reason()}. Its log is "
            f"{self.log}. Resume the run after the cause is gone.",
            fatal=True,
        )

    async def close(self) -> None:
        """Ends the engine and all its processes, at once or within a few seconds. Idempotent."""
        if self.closed:
            return
        self.closed = True
        if self._pulse is not None:
            self._pulse.cancel()
            await asyncio.wait({self._pulse})
        engine = await self._lazy.stop()
        if engine is not None:
            await asyncio.to_thread(engine.shutdown, CLOSE_S)
        await asyncio.to_thread(self._bury)
        self._logs.close(keep=bool(self._died))

    # ------------------------------------------------------------------------------------------ the start

    async def _start(self) -> AsyncLLM:
        self._lifeline = Lifeline()
        construct = asyncio.create_task(asyncio.to_thread(self._construct))
        try:
            async with asyncio.timeout(self._start_timeout_s):
                while not (await asyncio.wait({construct}, timeout=_ADOPT_S))[0]:
                    self._adopt()
            engine = construct.result()
        except TimeoutError:
            await self._abandon(construct)
            raise ProviderError(
                f"The vLLM engine of model '{self._name}' did not start within {self._start_timeout_s:.0f} s. "
                f"Its log is {self.log}; options.start_timeout_s allows more time.",
                fatal=True,
            ) from None
        except asyncio.CancelledError:
            await self._abandon(construct)
            raise
        self._pulse = asyncio.create_task(self._feel_pulse(engine))
        return engine

    def _construct(self) -> AsyncLLM:
        """Blocks for seconds to minutes; runs in a thread. Ends early where the child processes are killed."""
        from vllm.exceptions import VLLMError
        from vllm.usage.usage_lib import UsageContext
        from vllm.v1.engine.async_llm import AsyncLLM

        with _starting, _environment(self.log), _without_interrupts():
            if self.closed:
                raise ProviderError(f"Model '{self._name}' was closed.", fatal=True)
            self._strangers = frozenset(multiprocessing.active_children())
            try:
                # batch sizes for throughput, as of `vllm.LLM`, rather than a server's for latency
                settings = self._arguments.create_engine_config(UsageContext.LLM_CLASS)
            except (ValueError, TypeError, OSError, VLLMError) as error:
                raise ConfigError(
                    f"vLLM cannot serve model '{self._name}' ({self._model}): {error}"
                ) from error
            try:
                engine: AsyncLLM = AsyncLLM.from_vllm_config(
                    settings, disable_log_stats=self._arguments.disable_log_stats
                )
            except (RuntimeError, ValueError, OSError, VLLMError) as error:
                self._died = last_words(self.log) or str(error)
                raise ProviderError(
                    f"The vLLM engine of model '{self._name}' ({self._model}) does not start: {self._died}. "
                    f"Its log is {self.log}.",
                    fatal=True,
                ) from error
            self._adopt()
        return engine

    def _adopt(self) -> None:
        """Holds the engine's processes on the lifeline as they appear."""
        if self._strangers is None:
            return
        for child in multiprocessing.active_children():
            if child not in self._strangers and child not in self._children:
                self._children.append(child)
                if self._lifeline is not None and child.pid is not None:
                    self._lifeline.hold(child.pid)

    async def _abandon(self, construct: asyncio.Task[AsyncLLM]) -> None:
        """Kills what has started, which makes the thread give up, and waits for that."""
        self.closed = True
        while not construct.done():
            self._adopt()
            for child in self._children:
                child.kill()
            await asyncio.wait({construct}, timeout=_ADOPT_S)
        if construct.exception() is None:
            await asyncio.to_thread(construct.result().shutdown, CLOSE_S)
        await asyncio.to_thread(self._bury)

    # ------------------------------------------------------------------------------- the pulse and the end

    async def _feel_pulse(self, engine: AsyncLLM) -> None:
        """Declares an engine dead that does not come round to a trivial question: its device hangs."""
        from vllm.exceptions import VLLMError

        while True:
            await asyncio.sleep(PULSE_S)
            try:
                async with asyncio.timeout(self._pulse_timeout_s):
                    await engine.is_sleeping()
            except TimeoutError:
                if engine.errored:
                    return
                self._died = f"it has not answered for {self._pulse_timeout_s:.0f} s (timeout_s)"
                await asyncio.to_thread(engine.shutdown, CLOSE_S)
                return
            except VLLMError:
                return  # dead already: those who wait for samples are told

    def _reason(self) -> str:
        if self._died:
            return self._died
        endings = [
            f"process {child.name} {ending(child.exitcode)}" for child in self._children if child.exitcode
        ]
        words = last_words(self.log)
        self._died = "; ".join(filter(None, [words, *endings])) or "it gave no reason"
        return self._died

    def _bury(self) -> None:
        for child in self._children:
            if child.is_alive():
                child.kill()
            child.join(timeout=1.0)
        if self._lifeline is not None:
            self._lifeline.release()


@contextlib.contextmanager
def _environment(log: Path) -> Iterator[None]:
    """Sets what vLLM and its processes read from the environment, unless the user has set it."""
    wanted = {
        "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_LOGGING_CONFIG_PATH": str(_logging_config(log)),
    }
    added = [key for key in wanted if key not in os.environ]
    os.environ.update({key: wanted[key] for key in added})
    try:
        yield
    finally:
        for key in added:
            del os.environ[key]


def _logging_config(log: Path) -> Path:
    """Writes the logging configuration that sends vLLM's messages to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    path = log.with_suffix(".json")
    line = "%(asctime)s %(levelname)s %(processName)s(%(process)d) %(name)s: %(message)s"
    path.write_text(
        json.dumps(
            {
                "version": 1,
                "disable_existing_loggers": False,
                "formatters": {"line": {"format": line}},
                "handlers": {
                    "file": {"class": "logging.FileHandler", "filename": str(log), "formatter": "line"}
                },
                "loggers": {"vllm": {"handlers": ["file"], "level": "INFO", "propagate": False}},
            }
        ),
        encoding="utf-8",
    )
    return path


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """Blocks SIGINT in this thread; processes that it starts inherit that and outlive a Ctrl-C at the terminal."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
