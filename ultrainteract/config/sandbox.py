"""The sandbox and the limits of one execution."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import PositiveInt

from ultrainteract.schema import Record


class Limits(Record):
    """What one execution (of one test, in `judge`) may use."""

    wall_s: float = 10.0
    """Wall-clock seconds."""
    cpu_s: float = 10.0
    """CPU seconds, summed over all processes of the execution."""
    memory_mb: int = 512
    """Address space beyond the preloaded interpreter, MiB."""
    output_bytes: int = 65_536
    """Bytes of stdout, and of stderr, kept; the rest is cut and marked."""
    processes: int = 32
    """Processes and threads."""
    file_mb: int = 64
    """Size of a file, and of the scratch directory, MiB."""


class SandboxConfig(Record):
    """Where model-written code runs."""

    kind: Literal["auto", "docker", "bubblewrap", "unsafe"] = "auto"
    """`auto` takes Docker, then bubblewrap; `unsafe` (no isolation) only with `--unsafe` on the command
    line."""
    image: str = "ultrainteract-sandbox:latest"
    """Docker image; built by `ultrainteract sandbox build`."""
    runtime: str | None = None
    """Docker runtime, such as `runsc`."""
    containers: PositiveInt | None = None
    """Warm containers (or bubblewrap workers); one per two cores if None."""
    concurrency: PositiveInt | None = None
    """Maximum concurrent executions, over all containers; four per core if None."""
    memory_mb: PositiveInt = 4096
    """Memory of one container, MiB."""
    limits: Limits = Limits()
    """Limits of one execution; a coding problem's own time limit replaces `wall_s` and `cpu_s`."""
    wikipedia: str | None = None
    """Source of `wikipedia_search`: `live`, or the path of an index made by `ultrainteract wiki build`."""
    tools: dict[str, dict[str, Any]] | None = None
    """Settings of further tools by name, such as `define: {glossary: words.json}` for a plugin's `define`."""
