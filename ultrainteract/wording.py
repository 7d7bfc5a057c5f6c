"""The published words around a problem and an action: the only place where they are written.

`ENGLISH` is what published rows say, to the letter where rows were seen: the two-line prefix of Math_CoT, the
interpreter's and the search tool's preambles, the task sentences of Math_PoT, Coding and Logic with a tool, and the
feedback on an action. Where no row was seen (tables, choices, Logic without a tool) the wording follows the same style;
docs/seeds.md lists which is which.

A seed set in another language names a YAML file with some of the fields below (`seeds.*.wording`). Its instructions
carry the phrases of the feedback with them, so that a stored tree reads the same everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml
from pydantic import ValidationError

from ultrainteract.errors import ConfigError
from ultrainteract.schema import FeedbackWording, Label, Node, Record, Task

CORRECT = "Your answer is correct."
WRONG = "Your answer is wrong."
OUTPUT = "Out: "


class Wording(Record):
    """Published words of a seed set, in one language."""

    tools_head: str = "Tool available:"
    """Line above the tools on offer."""
    tools: Mapping[str, str] = {
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
    """Description of each tool, as it stands behind its number; a tool's own where none is given here."""
    simplify: str = "Simplify your answer as much as possible."
    """ModelDemand for the simplest form of a mathematical answer."""
    boxed: str = "Present your final answer as \\boxed{Your Answer}."
    """ModelDemand for a marked final answer (Math_CoT)."""
    sentences: Mapping[str, str] = {
        Task.MATH_COT: "Solve the following math problem step-by-step.",
        Task.MATH_POT: "Solve the following math problem step-by-step.",
        Task.CODING: "Write Python code to solve the task.",
        Task.LOGIC: "Solve the following problem step-by-step:",
    }
    """First sentence by task; that of the task it is like where a further task has none."""
    feedback: FeedbackWording = FeedbackWording(correct=CORRECT, wrong=WRONG, output=OUTPUT)
    """Words of the user turn after an action."""

    def render(
        self, task: Task, body: str, tools: Sequence[tuple[str, str]] = (), simplify: bool = True
    ) -> str:
        """The whole published instruction text.

        Args:
            task: Task of the instruction.
            body: The problem, with its table or choices where it has any.
            tools: Tools on offer, in order: name and own description.
            simplify: Whether Math_PoT asks to simplify the answer.
        """
        lines = [self.tools_head] if tools else []
        lines += [f"[{number}] {self.tools.get(name, text)}" for number, (name, text) in enumerate(tools, 1)]
        lines.append(self.sentences.get(task) or task.sentence or self.sentences[task.kind])
        if task.kind is Task.MATH_COT:
            lines.append(f"{self.simplify} {self.boxed}")
        elif task.kind is Task.MATH_POT and simplify:
            lines.append(self.simplify)
        return "\n".join([*lines, body])


ENGLISH = Wording()
"""The wording of the published data."""


def load_wording(path: Path) -> Wording:
    """The wording that a YAML file gives; `ENGLISH` where it says nothing.

    Raises:
        ConfigError: It cannot be read, or has a field that there is not.
    """
    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"Cannot read the wording {path}: {error}.") from error
    base = ENGLISH.model_dump(mode="json")
    if isinstance(given, dict):
        for name in ("tools", "sentences", "feedback"):
            if isinstance(given.get(name), dict):
                given[name] = base[name] | given[name]
    try:
        return Wording.model_validate(base | given if isinstance(given, dict) else given)
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise ConfigError(f"The wording {path} does not fit:\n" + "\n".join(lines)) from error


def with_choices(question: str, choices: Sequence[str]) -> str:
    """The question with its choices below, lettered `A.` onward."""
    return "\n".join([question, *(f"{chr(65 + n)}. {choice}" for n, choice in enumerate(choices))])


def with_table(table: str, question: str, title: str | None = None) -> str:
    """A table as text with the question below it."""
    return f"Table: {title}\n{table}\n{question}" if title else f"Table:\n{table}\n{question}"


def shown_output(output: str, words: FeedbackWording | None = None) -> str:
    """The user turn after a tool call within a turn: what the program printed.

    Args:
        output: The output.
        words: The instruction's own words; those of the published data if None.
    """
    return f"{(words or ENGLISH.feedback).output}{output}"


def feedback(node: Node, words: FeedbackWording | None = None) -> str:
    """The user turn after an action: output, correctness and critique joined by single newlines.

    Args:
        node: The action with its observation, verdict and critique.
        words: The instruction's own words (`Instruction.wording`); those of the published data if None.
    """
    if node.observation.verbatim is not None:
        return node.observation.verbatim
    words = words or ENGLISH.feedback
    parts = [] if node.observation.output is None else [f"{words.output}{node.observation.output}"]
    parts.append(words.correct if node.verdict.label is Label.CORRECT else words.wrong)
    if node.critique is not None:
        parts.append(node.critique.text)
    return "\n".join(parts)
