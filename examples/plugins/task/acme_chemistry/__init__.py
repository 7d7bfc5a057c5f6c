"""A task of its own: short chemistry questions, with a published sentence and an actor's template.

Everything else is as for the task it is like (Logic: an answer in words or a choice). In a configuration:

    seeds:
      - {dataset: generic, path: chemistry.jsonl, mapping: {question: q, gold: a}, grader: text, tasks: [Chemistry]}
"""

from __future__ import annotations

from pathlib import Path

from ultrainteract.schema import task


@task("Chemistry", like="Logic", prompts=Path(__file__).parent / "prompts")
def sentence() -> str:
    """The first line of the published instruction."""
    return "Answer the following question of chemistry step-by-step:"
