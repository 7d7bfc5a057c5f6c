"""The tasks of open domains, where no machine can prove that an answer is right.

Their labels are judgments with measured reliability (`verdict.JUDGED`), or there are none. In everything else an answer
in words, as of Logic.
"""

from __future__ import annotations

from ultrainteract.schema.tasks import Task, task


@task("Chat", like=Task.LOGIC)
def chat() -> str:
    """An instruction of any kind; its prompt is shown as it is."""
    return ""


@task("Writing", like=Task.LOGIC)
def writing() -> str:
    """A text of a writer's own, to be rewritten without changing what it says."""
    return "Improve the writing of the following text. Keep its stance, its facts and its voice."
