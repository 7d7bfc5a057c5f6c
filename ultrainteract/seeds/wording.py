"""The published instruction texts, to the letter where they are known.

The two-line prefix of Math_CoT, the interpreter's and the search tool's preambles, and the task sentences of
Math_PoT, Coding and Logic with a tool were read off published rows. Where no row was seen (tables, choices,
Logic without a tool) the wording here follows the same style; docs/seeds.md lists which is which.
"""

from __future__ import annotations

from collections.abc import Sequence

from ultrainteract.schema import Task, Tool

TOOLS: dict[Tool, str] = {
    "python": (
        "Python interpreter\n"
        "When you send a message containing Python code to python, it will be executed in a stateful Jupyter "
        "notebook environment."
    ),
    "wikipedia_search": (
        "wikipedia_search(query: str) -> str\n"
        "The Wikipedia Search tool provides access to a vast collection of articles covering a wide range of "
        "topics.\n"
        "Can query specific keywords or topics to retrieve accurate and comprehensive information."
    ),
}
"""Description of each tool, as it stands behind its number."""

_SIMPLIFY = "Simplify your answer as much as possible."


def render(task: Task, body: str, tools: Sequence[Tool], simplify: bool = True) -> str:
    """The whole published instruction text.

    Args:
        task: Task of the instruction.
        body: The problem, with its table or choices where it has any.
        tools: Tools on offer, in order.
        simplify: Whether Math_PoT asks to simplify the answer.
    """
    return "\n".join([*_preamble(tools), *_sentence(task, bool(tools), simplify), body])


def _preamble(tools: Sequence[Tool]) -> list[str]:
    if not tools:
        return []
    return ["Tool available:", *(f"[{number}] {TOOLS[tool]}" for number, tool in enumerate(tools, 1))]


def _sentence(task: Task, with_tools: bool, simplify: bool) -> list[str]:
    match task:
        case Task.MATH_COT:
            return [
                "Solve the following math problem step-by-step.",
                f"{_SIMPLIFY} Present your final answer as \\boxed{{Your Answer}}.",
            ]
        case Task.MATH_POT:
            return ["Solve the following math problem step-by-step.", *([_SIMPLIFY] if simplify else [])]
        case Task.CODING:
            return ["Write Python code to solve the task."]
        case Task.LOGIC:
            return ["Solve the following problem step-by-step:"]


def with_choices(question: str, choices: Sequence[str]) -> str:
    """The question with its choices below, lettered `A.` onward."""
    return "\n".join([question, *(f"{chr(65 + n)}. {choice}" for n, choice in enumerate(choices))])


def with_table(table: str, question: str, title: str | None = None) -> str:
    """A table as text with the question below it."""
    return f"Table: {title}\n{table}\n{question}" if title else f"Table:\n{table}\n{question}"
