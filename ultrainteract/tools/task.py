"""The task `Tools`: answer a request with function calls, or without one where none fits."""

from __future__ import annotations

from ultrainteract.schema import Task
from ultrainteract.schema.tasks import task


@task("Tools", like=Task.LOGIC)
def tools() -> str:
    """First sentence of its instructions."""
    return "Answer the request. Call functions where they help, and none where none fits."
