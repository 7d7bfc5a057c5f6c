"""The configuration reference, made from the fields' docstrings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from ultrainteract.config.evaluation import EvaluationConfig
from ultrainteract.config.run import RunConfig
from ultrainteract.config.training import TrainConfig
from ultrainteract.schema import Record


def config_docs() -> str:
    """The reference of every field as Markdown, made from the models."""
    sections: list[str] = []
    seen: set[type[Record]] = set()

    def visit(model: type[Record]) -> None:
        if model in seen:
            return
        seen.add(model)
        lines = [f"## {model.__name__}", "", (model.__doc__ or "").strip(), "", "| field | type | default | meaning |",
                 "| --- | --- | --- | --- |"]  # fmt: skip
        nested: list[type[Record]] = []
        for name, field in model.model_fields.items():
            kind = _type_name(field.annotation)
            default = (
                "required"
                if field.is_required()
                else f"`{_default_text(field.get_default(call_default_factory=True))}`"
            )
            lines.append(
                f"| `{name}` | `{kind}` | {default} | {(field.description or '').replace(chr(10), ' ')} |"
            )
            nested += [t for t in _types(field.annotation) if isinstance(t, type) and issubclass(t, Record)]
        sections.append("\n".join(lines))
        for child in nested:
            visit(child)

    visit(RunConfig)
    trained = len(sections)
    visit(TrainConfig)
    evaluated = len(sections)
    visit(EvaluationConfig)
    return (
        "\n\n".join(
            [
                "# Configuration reference",
                *sections[:trained],
                "# Training recipes",
                *sections[trained:evaluated],
                "# Evaluations",
                *sections[evaluated:],
            ]
        )
        + "\n"
    )


def _types(annotation: Any) -> Iterator[Any]:
    arguments = get_args(annotation)
    if not arguments:
        yield annotation
    for argument in arguments:
        yield from _types(argument)


def _type_name(annotation: Any) -> str:
    text = (
        annotation.__name__ if isinstance(annotation, type) and not get_args(annotation) else str(annotation)
    )
    text = re.sub(r"typing\.|pathlib\.|ultrainteract\.(config|schema)\.\w+\.", "", text).replace(
        "NoneType", "None"
    )
    text = re.sub(r"Annotated\[(\w+), [^\]]*\]", r"\1", text)
    return text.replace("|", "\\|")


def _default_text(value: Any) -> str:
    if isinstance(value, Record):
        return "see below" if value.model_fields_set else "defaults"
    if isinstance(value, Path):
        return str(value)
    return "null" if value is None else str(value).replace("|", "\\|")
