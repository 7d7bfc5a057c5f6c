"""One tree from the published rows of its instruction: ids and shared prefixes say where everything belongs.

Published rows carry neither models nor grades, so the nodes say `unknown` and `published` there. What rows do
say is kept to the letter: exporting a rebuilt tree gives the rows it was built from. What does not fit into one
tree is named in `Rebuilt.issues`, never dropped in silence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ultrainteract.errors import DataError
from ultrainteract.readers.code import split_program, syntax_ok, with_line_feeds
from ultrainteract.schema import (
    Action,
    Critique,
    Exchange,
    GraderName,
    Instruction,
    Node,
    Observation,
    Pair,
    Provenance,
    SamplingParams,
    Task,
    Tool,
    Tree,
    Turn,
    Verdict,
)
from ultrainteract.schema.tasks import TASKS
from ultrainteract.wording import OUTPUT, WRONG

Row = Mapping[str, Any]

_ID = re.compile(r"([0-9a-f]{64})_(\d{1,3})_([1-9]\d{0,2})")
_UNKNOWN = Provenance(model="unknown", provider="import", sampling=SamplingParams(), step="import", ordinal=0)
_PREAMBLES = (
    "Write Python code to solve the task.\n",
    "Solve the following math problem step-by-step.\n",
    "Simplify your answer as much as possible. Present your final answer as \\boxed{Your Answer}.\n",
    "Simplify your answer as much as possible.\n",
    "Solve the following problem step-by-step:\n",
    "Solve the following problem step-by-step.\n",
)
_GRADERS: Mapping[Task, GraderName] = {
    Task.CODING: "tests", Task.MATH_COT: "math", Task.MATH_POT: "math", Task.LOGIC: "text",
}  # fmt: skip


class RowId(NamedTuple):
    """A published row id, taken apart."""

    hex: str
    depth: int
    turn: int


class Rebuilt(NamedTuple):
    """A tree, and what of its rows did not fit into it."""

    tree: Tree
    issues: list[str]


def parse_id(text: str) -> RowId | None:
    """Takes `<64 hex>_<depth>_<turn>` apart; None where it is not of that form.

    Example:
        >>> parse_id("ab" * 32 + "_5_3")[1:]
        (5, 3)
    """
    match = _ID.fullmatch(text)
    return RowId(match[1], int(match[2]), int(match[3])) if match else None


def task_of(name: str) -> Task:
    """The task of a published name, whatever its case.

    Raises:
        DataError: There is no such task.
    """
    known = [*(task.value for task in Task), *TASKS.names()]
    for task in known:
        if task.casefold() == name.casefold():
            return Task(task)
    raise DataError(f"Unknown task '{name}'; there are {', '.join(dict.fromkeys(known))}.")


def rebuild(parent: str, pairs: Sequence[Row], sft: Sequence[Row], *, simulated: bool = False) -> Rebuilt:
    """Builds the tree of one instruction.

    Args:
        parent: The instruction's published id.
        pairs: Its rows of the pair split, in order.
        sft: Its rows of the SFT split, in order.
        simulated: Marks every text as written by a simulated model.

    Raises:
        DataError: A row's task is unknown, or a trajectory is empty.
    """
    return _Builder(parent, pairs, sft, simulated).build()


class _Response(NamedTuple):
    """An SFT row's response, with the tool calls of its turn."""

    text: str
    exchanges: tuple[Exchange, ...]
    id: str | None


class _Builder:
    def __init__(self, parent: str, pairs: Sequence[Row], sft: Sequence[Row], simulated: bool) -> None:
        self.parent, self.pairs, self.sft = parent, pairs, sft
        self.origin = _UNKNOWN.model_copy(update={"simulated": simulated})
        self.issues: list[str] = []
        self.history: dict[int, tuple[str, str]] = {}
        """Wrong action and feedback by turn, as trajectories show them."""
        self.own: dict[int, Row] = {}
        self.extra: dict[int, list[Row]] = {}
        self.correct: dict[int, list[_Response]] = {}
        """SFT responses by turn."""
        self.depth = 0

    def build(self) -> Rebuilt:
        if any(not row["trajectory"] for row in self.pairs):
            raise DataError(f"Instruction {self.parent}: a pair's trajectory is empty.")
        prompt = self._prompt()
        self._read_pairs(prompt)
        first = next(row for row in (*self.pairs, *self.sft) if _begins_with(row, prompt))
        self._read_sft(prompt)
        turns = tuple(self._turn(number) for number in range(1, self.depth + 1))
        tree = Tree(
            instruction=_instruction(self.parent, first, prompt),
            turns=turns,
            ended="solved" if turns[-1].correct else "turn_cap" if self.depth >= 5 else "no_incorrect",
        )
        return Rebuilt(tree, self.issues)

    def _prompt(self) -> str:
        """The prompt that most rows begin with: one of a pair, or of an SFT row where there are no pairs."""
        prompts = [str(row["trajectory"][0]["value"]) for row in self.pairs]
        instructions = [str(row["instruction"]) for row in self.sft]
        counts = Counter(dict.fromkeys(prompts or instructions, 0))
        counts.update(prompts)
        lengths = {len(prompt) for prompt in counts}
        for text in instructions:
            ends = [*(found.start() for found in re.finditer("\n", text)), len(text)]
            counts.update(text[:end] for end in ends if end in lengths and text[:end] in counts)
        return max(counts, key=counts.__getitem__)

    def _read_pairs(self, prompt: str) -> None:
        seen: set[str] = set()
        for row in self.pairs:
            if (key := repr([row["trajectory"], row["chosen"], row["rejected"]])) in seen:
                self.issues.append(f"pair {row['id']}: the same pair occurred before, and is kept once")
                continue
            seen.add(key)
            if not _begins_with(row, prompt):
                self.issues.append(f"pair {row['id']}: its prompt is not that of its tree, so it is refused")
                continue
            talk = [turn["value"] for turn in row["trajectory"]]
            turn = (len(talk) + 1) // 2
            steps = {number: (talk[2 * number - 1], talk[2 * number]) for number in range(1, turn)}
            if other := [
                number for number in steps if self.history.get(number, steps[number]) != steps[number]
            ]:
                self.issues.append(
                    f"pair {row['id']}: its turn {other[0]} differs from the other pairs' history, so it is refused"
                )
                continue
            self.history |= steps
            named = parse_id(row["id"])
            if named is None or named.turn != turn:
                self.issues.append(f"pair {row['id']}: its id does not name turn {turn}, where it stands")
            self.depth = max(self.depth, turn, named.depth if named else 0)
            if named is not None and named.hex == self.parent and turn not in self.own:
                self.own[turn] = row
            else:
                self.extra.setdefault(turn, []).append(row)
        for turn, row in list(self.own.items()):
            if turn in self.history and self.history[turn][0] != row["rejected"]:
                self.issues.append(
                    f"pair {row['id']}: its rejected action is not the one the tree goes on from"
                )
                self.extra.setdefault(turn, []).insert(0, self.own.pop(turn))

    def _read_sft(self, prompt: str) -> None:
        seen: set[tuple[int, str, str]] = set()
        for row in self.sft:
            if not _begins_with(row, prompt):
                self.issues.append(
                    f"SFT row {row['id']}: its instruction is not the prompt of its tree, so it is refused"
                )
                continue
            named = parse_id(row["id"])
            if named is None:
                self.issues.append(f"SFT row {row['id']}: its id names no turn, so it is taken for turn 1")
            turn = named.turn if named else 1
            self.depth = max(self.depth, turn, named.depth if named else 0)
            exchanges = self._exchanges(row, prompt, turn)
            key = (turn, row["instruction"], row["response"])
            if key in seen:
                self.issues.append(
                    f"SFT row {row['id']}: the same response occurred before, and is kept once"
                )
                continue
            seen.add(key)
            self.correct.setdefault(turn, []).append(_Response(row["response"], exchanges, row["id"]))

    def _exchanges(self, row: Row, prompt: str, turn: int) -> tuple[Exchange, ...]:
        """The tool calls in an SFT row's instruction: what follows the prompt, and the history if that is there."""
        instruction = str(row["instruction"])
        known = [text for number in range(1, turn) for text in self.history.get(number, ())]
        openings = ["\n".join([prompt, *known]), prompt] if len(known) == 2 * (turn - 1) else [prompt]
        if turn - 1 in self.own and len(known) == 2 * (turn - 2):
            # No pair stands at this turn, so the last wrong action is known from its own pair and its feedback only
            # from here.
            wrong = str(self.own[turn - 1]["rejected"])
            before = "\n".join([prompt, *known, wrong, ""])
            if instruction.startswith(before):
                self.history[turn - 1] = (wrong, instruction[len(before) :])
                return ()
        for opening in openings:
            if instruction == opening:
                return ()
            if instruction.startswith(f"{opening}\n"):
                call, found, output = instruction[len(opening) + 1 :].partition("\nOut: ")
                if found and not (known and call.startswith(known[0])):
                    return (Exchange(text=call, raw=call, output=output),)
        self.issues.append(f"SFT row {row['id']}: what follows the prompt in its instruction is left out")
        return ()

    def _turn(self, number: int) -> Turn:
        responses = list(self.correct.get(number, ()))
        own, extra = self.own.get(number), self.extra.get(number, [])
        correct = self._chosen(own, responses) if own is not None else None
        pairs = tuple(
            Pair(
                chosen=self._chosen(row, responses),
                rejected=self._wrong(row["rejected"]),
                published_id=row["id"],
            )
            for row in extra
        )
        rest = [self._right(response) for response in responses]
        if correct is None and rest:
            correct = rest.pop(0)
        incorrect = None
        if number in self.history:
            incorrect = self._wrong(*self.history[number])
        elif own is not None:
            incorrect = self._wrong(own["rejected"])
        return Turn(
            correct=correct,
            incorrect=incorrect,
            paired=own is not None,
            extra=pairs,
            more_correct=tuple(rest),
        )

    def _chosen(self, row: Row, responses: list[_Response]) -> Node:
        """The chosen action of a pair; takes the SFT row of the same action out of `responses`."""
        chosen = str(row["chosen"])
        for number, response in enumerate(responses):
            calls = "".join(f"{call.text}\nOut: {call.output}\n" for call in response.exchanges)
            if calls + response.text == chosen:
                del responses[number]
                return self._right(response)
        return self._right(_Response(chosen, (), None))

    def _right(self, response: _Response) -> Node:
        return Node(
            action=_action(response.text, response.exchanges), observation=Observation(),
            verdict=Verdict.correct("published"), provenance=self.origin, published_id=response.id,
        )  # fmt: skip

    def _wrong(self, text: str, feedback: str | None = None) -> Node:
        observation, words = (Observation(), None) if feedback is None else _feedback(feedback)
        return Node(
            action=_action(text, ()), observation=observation, verdict=Verdict.wrong("published"),
            critique=None if words is None else Critique(text=words, provenance=self.origin),
            provenance=self.origin,
        )  # fmt: skip


def _begins_with(row: Row, prompt: str) -> bool:
    """Whether a row stands under a prompt: a pair's first message is it, an SFT row's instruction begins with it."""
    if "trajectory" in row:
        return bool(row["trajectory"][0]["value"] == prompt)
    return f"{row['instruction']}\n".startswith(f"{prompt}\n")


def _instruction(parent: str, row: Row, prompt: str) -> Instruction:
    task = task_of(str(row["task"]))
    question, tools = prompt, list[Tool]()
    if prompt.startswith("Tool available:\n"):
        tools.append("wikipedia_search" if "[1] wikipedia_search" in prompt else "python")
        starts = [prompt.find(preamble) for preamble in _PREAMBLES if preamble in prompt]
        question = prompt[min(starts) :] if starts else prompt
    for preamble in _PREAMBLES:
        question = question.removeprefix(preamble)
    return Instruction(
        task=task, dataset=str(row["dataset"]), prompt=prompt, question=question, grader=_GRADERS[task],
        tools=tuple(tools), source=f"import/{row['dataset']}/{parent}", published_id=parent,
    )  # fmt: skip


def _action(text: str, exchanges: tuple[Exchange, ...]) -> Action:
    code = split_program(with_line_feeds(text))[0]
    _, stated, answer = text.rpartition("Answer:")
    return Action(
        raw=text, reasoning_schema="modular" if code and "def " in code else "cot", text=text, code=code,
        answer=answer.strip() if stated else None, syntax_ok=code is None or syntax_ok(code), exchanges=exchanges,
    )  # fmt: skip


def _feedback(text: str) -> tuple[Observation, str | None]:
    """A user turn taken apart into output and critique; kept whole where its wording is another one."""
    output: str | None = None
    rest = text
    if text.startswith(OUTPUT):
        output, found, after = text[len(OUTPUT) :].partition(f"\n{WRONG}")
        rest = WRONG + after if found else ""
    if rest == WRONG:
        return Observation(output=output), None
    if rest.startswith(f"{WRONG}\n"):
        return Observation(output=output), rest[len(WRONG) + 1 :]
    return Observation(verbatim=text), None
