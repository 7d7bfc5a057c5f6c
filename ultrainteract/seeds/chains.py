"""Arithmetic as given functions: GSM8K as chains of calls, as in the paper on small models that call functions.

Source: "Improving Small-Scale Large Language Models Function Calling for Reasoning Tasks" (arXiv 2410.18890), which
lets a model solve such problems step by step with functions, and labels the chain by its final answer.
"""

from __future__ import annotations

from ultrainteract.schema import Backend, Function, Message
from ultrainteract.seeds.functions import published
from ultrainteract.seeds.problem import Problem

_SOURCE = """
def add(a, b):
    return a + b

def subtract(a, b):
    return a - b

def multiply(a, b):
    return a * b

def divide(a, b):
    return a / b

def percent(part, whole):
    return part / whole * 100
"""
_WORDS = {
    "add": ("Adds two numbers.", "a", "b"),
    "subtract": ("Subtracts b from a.", "a", "b"),
    "multiply": ("Multiplies two numbers.", "a", "b"),
    "divide": ("Divides a by b.", "a", "b"),
    "percent": ("How many per cent of the whole a part is.", "part", "whole"),
}
ARITHMETIC = tuple(
    Function(
        name=name,
        description=text,
        parameters={
            "type": "object", "properties": {name: {"type": "number"} for name in names}, "required": list(names),
        },
    )
    for name, (text, *names) in _WORDS.items()
)  # fmt: skip
"""The functions."""


def as_chain(problem: Problem) -> Problem:
    """A problem with a number as its answer, to be solved with the functions of arithmetic.

    Args:
        problem: The problem.
    """
    dialogue = (Message(role="user", content=problem.question),)
    return problem.model_copy(
        update={
            "functions": ARITHMETIC, "dialogue": dialogue, "backend": Backend(source=_SOURCE),
            "body": published(ARITHMETIC, dialogue), "grader": "number",
        }
    )  # fmt: skip
