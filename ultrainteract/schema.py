"""The data model: what a tree is made of, and nothing else.

All records are frozen and refuse unknown fields. They hold no behaviour beyond what is implied by their
fields, so that every other module can depend on this one. Ids are content hashes (sha256 of canonical JSON),
never a position, a path or a time: the same content has the same id on every machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, model_validator

SCHEMA_VERSION = 1
"""Version of every record written to disk; raised when a field changes its meaning."""


def content_hash(value: Any) -> str:
    """Sha256 hex digest of the canonical JSON (sorted keys, UTF-8, no spaces) of `value`.

    Args:
        value: Anything JSON can hold; pydantic models are taken as their fields.
    """
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS, default=_plain)).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} has no canonical JSON form")


class Record(BaseModel):
    """Base of all records: frozen, strict about its fields, documented field by field."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Task(StrEnum):
    """The published task names."""

    CODING = "Coding"
    MATH_COT = "Math_CoT"
    MATH_POT = "Math_PoT"
    LOGIC = "Logic"


Tool = Literal["python", "wikipedia_search"]
ReasoningSchema = Literal["cot", "modular"]
GraderName = Literal["math", "number", "choice", "boolean", "text", "answer_set", "calls", "tests", "judge"]


# ---------------------------------------------------------------------------------------------- verdicts


class Label(StrEnum):
    """What is known about an action. Only a proved-wrong one may be rejected, only a proved-correct one chosen."""

    CORRECT = "correct"
    WRONG = "wrong"
    UNDETERMINED = "undetermined"


class Evidence(Record):
    """Which check decided a label, and how far it can be trusted."""

    check: Literal[
        "tests",
        "equivalence",
        "choice",
        "text",
        "boolean",
        "number",
        "answer_set",
        "calls",
        "format",
        "judge",
        "published",
    ]
    """The kind of check that decided; `published`: the label an imported dataset states, not checked here."""
    detail: str = ""
    """What the check saw, in one line for a reader (never the hidden expected outputs)."""
    reliability: float = 1.0
    """Estimated share of such verdicts that are right, between 0 and 1."""


class Verdict(Record):
    """A three-valued label with its evidence, or the reason why nothing is known."""

    label: Label
    """Correct, wrong, or undetermined."""
    evidence: Evidence | None = None
    """What decided; present exactly when the label is not undetermined."""
    reason: str = ""
    """Why nothing is known (timeout of the grader, truncated answer, sandbox fault …); undetermined only."""

    @model_validator(mode="after")
    def _evidence_or_reason(self) -> Self:
        if self.label is Label.UNDETERMINED:
            if self.evidence is not None or not self.reason:
                raise ValueError("an undetermined verdict has a reason and no evidence")
        elif self.evidence is None or self.reason:
            raise ValueError("a correct or wrong verdict has evidence and no reason")
        return self

    @classmethod
    def correct(cls, check: Any, detail: str = "", reliability: float = 1.0) -> Self:
        """A proved-correct verdict, decided by `check` (see `Evidence.check`)."""
        return cls(
            label=Label.CORRECT, evidence=Evidence(check=check, detail=detail, reliability=reliability)
        )

    @classmethod
    def wrong(cls, check: Any, detail: str = "", reliability: float = 1.0) -> Self:
        """A proved-wrong verdict, decided by `check` (see `Evidence.check`)."""
        return cls(label=Label.WRONG, evidence=Evidence(check=check, detail=detail, reliability=reliability))

    @classmethod
    def undetermined(cls, reason: str) -> Self:
        """A verdict that says nothing about the action, and why."""
        return cls(label=Label.UNDETERMINED, reason=reason)


# ------------------------------------------------------------------------------------------ instructions


class TestCase(Record):
    """One test of a program. Its expected output is never visible to the program."""

    __test__ = False

    input: str
    """Standard input; for a function-call suite a JSON list of positional arguments."""
    expected: str
    """Expected standard output; for a function-call suite the JSON of the expected return value."""
    public: bool = False
    """True where the instruction's text shows this case, so that feedback may quote its expected output."""


class Checker(Record):
    """How a program's output is compared with the expected one. Comparison happens outside the program."""

    kind: Literal["exact", "tokens", "floats", "unordered_lines", "program"] = "tokens"
    """exact: but for trailing whitespace; tokens: whitespace-separated tokens; floats: tokens, numbers within
    `tolerance`; unordered_lines: the multiset of lines; program: `program` decides."""
    tolerance: float = 1e-6
    """Absolute or relative tolerance of `floats`."""
    program: str | None = None
    """Python source defining `check(input: str, expected: str, output: str) -> bool`; runs in the sandbox."""


class TestSuite(Record):
    """All tests of one coding problem."""

    __test__ = False

    kind: Literal["stdin", "call"] = "stdin"
    """stdin: the program reads standard input and prints; call: a function is called and its value
    compared."""
    entry_point: str | None = None
    """Function (or method of `class Solution`) to call; `call` suites only."""
    cases: tuple[TestCase, ...]
    """The tests, in order."""
    checker: Checker = Checker()
    """How outputs are compared."""
    any_answer: bool = False
    """The statement allows several right outputs and no checker program is known: passing all tests proves an
    action correct, failing one leaves it undetermined unless the program crashed or ran out of time."""
    time_limit_s: float | None = None
    """The problem's own limit a test, seconds."""
    memory_limit_mb: int | None = None
    """The problem's own memory limit, MiB."""


class Instruction(Record):
    """A problem with a ground truth that a machine can check: the root of one tree."""

    task: Task
    """Published task name."""
    dataset: str
    """Published dataset name, such as `gsm8k` or `codecontest`."""
    prompt: str
    """The whole published instruction text: tool preamble, task sentence, problem."""
    question: str
    """The bare problem, without preamble."""
    grader: GraderName
    """The check that decides whether an action is correct."""
    gold: str | None = None
    """Gold final answer: an expression, a number, a choice letter, `yes`/`no`, a text."""
    gold_set: tuple[str, ...] = ()
    """Gold answers of the `answer_set` grader, all of which must be given, in any order."""
    unit: str | None = None
    """Unit of a numeric answer, where the dataset states one."""
    choices: tuple[str, ...] = ()
    """Texts of the answer choices; the first is choice A."""
    tests: TestSuite | None = None
    """Test cases of a coding problem."""
    rationales: tuple[str, ...] = ()
    """Gold rationales (text), without dataset markup."""
    solutions: tuple[str, ...] = ()
    """Gold solution programs (Python)."""
    tools: tuple[Tool, ...] = ()
    """Tools on offer to the actor."""
    difficulty: str | None = None
    """The dataset's own difficulty or level, as text."""
    tags: tuple[str, ...] = ()
    """The dataset's own categories."""
    licence: str | None = None
    """Licence of the seed data (SPDX id where there is one)."""
    source: str = ""
    """Where the record comes from: `dataset/split/record id`."""
    published_id: str | None = None
    """Id under which an imported instruction was published; takes the place of the content hash."""

    @cached_property
    def id(self) -> str:
        """Content hash of what makes the problem: task, dataset, prompt and gold (64 hex digits)."""
        return self.published_id or content_hash(
            [self.task, self.dataset, self.prompt, self.gold, self.gold_set]
        )


# ------------------------------------------------------------------------------------- models and actions


class Message(Record):
    """One chat message."""

    role: Literal["system", "user", "assistant"]
    """Who speaks."""
    content: str
    """Text."""


class SamplingParams(Record):
    """How completions are drawn; part of the key under which they are recorded."""

    temperature: float = 1.0
    """Softmax temperature."""
    top_p: float = 1.0
    """Nucleus mass."""
    max_tokens: int = 2048
    """Cap on completion tokens."""
    stop: tuple[str, ...] = ()
    """Stop strings."""
    seed: int | None = None
    """Base seed sent to servers that honour one; each sample gets a seed derived from it."""


class Usage(Record):
    """Tokens of one request, as the provider reports them."""

    prompt_tokens: int = 0
    """Tokens sent, counted once a request whatever `n`."""
    completion_tokens: int = 0
    """Tokens drawn, summed over the samples."""


class Provenance(Record):
    """Where a text comes from."""

    model: str
    """The model's name at its provider."""
    provider: str
    """`openai`, `vllm`, `simulated`, …"""
    simulated: bool = False
    """True where no language model wrote this: such data is refused for publication by default."""
    sampling: SamplingParams
    """Sampling parameters of the request."""
    step: str
    """Ladder step or role that asked: a step's name in the config, `incorrect`, `critic` …"""
    ordinal: int
    """Number of the sample among all drawn for the same request key."""
    prompt_tokens: int = 0
    """Prompt tokens of the request this sample came with (shared by its siblings)."""
    completion_tokens: int = 0
    """Completion tokens of this sample."""
    cost: float | None = None
    """This sample's share of the request's cost in US dollars; None where the price is unknown."""


class Exchange(Record):
    """A tool call inside a turn that was not yet an answer, and what the tool returned."""

    text: str
    """The actor's message in its published rendering."""
    raw: str
    """The actor's message as written."""
    code: str | None = None
    """The code that was run."""
    output: str
    """What the interpreter printed, as shown to the actor (`Out: …` without the label)."""


class Action(Record):
    """One whole attempt by the actor at one turn."""

    raw: str
    """The completion exactly as the model wrote it."""
    reasoning_schema: ReasoningSchema
    """The schema that was asked for."""
    text: str
    """The published rendering: thought as text, code in a ```python fence, the answer as `Answer:…`."""
    code: str | None = None
    """The Python program, if the action carries one."""
    answer: str | None = None
    """The final answer as written, if the action states one."""
    syntax_ok: bool = True
    """False where `code` does not pass Python's syntax check."""
    exchanges: tuple[Exchange, ...] = ()
    """Tool calls made before the answer, within this turn."""


class Observation(Record):
    """What the environment says of an action."""

    output: str | None = None
    """Interpreter output, traceback or test feedback, without the `Out: ` label; None for a tool-free
    action."""
    status: str = "ok"
    """Status of the execution (`ok`, `error`, `timeout`, `memory`, …)."""
    verbatim: str | None = None
    """The whole user turn of an imported row whose wording differs from this project's; None otherwise."""


class Critique(Record):
    """What a stronger model, which knows the gold answer, says of a wrong action."""

    text: str
    """The critique as published."""
    guard: Literal["clean", "asked_again", "redacted"] = "clean"
    """What the leak guard did: nothing, had it rewritten, or removed the gold answer from it."""
    provenance: Provenance
    """The critic."""


# ------------------------------------------------------------------------------------------------- trees


class Node(Record):
    """An action with its observation, verdict and, if it is wrong and was expanded, its critique."""

    action: Action
    """What the actor did."""
    observation: Observation
    """What the environment said."""
    verdict: Verdict
    """What is known about it."""
    critique: Critique | None = None
    """What the critic said; only on an expanded node."""
    provenance: Provenance
    """The actor."""

    @property
    def feedback(self) -> str:
        """The user turn after this action: output, correctness and critique joined by single newlines."""
        if self.observation.verbatim is not None:
            return self.observation.verbatim
        parts = [] if self.observation.output is None else [f"Out: {self.observation.output}"]
        parts.append(
            "Your answer is correct." if self.verdict.label is Label.CORRECT else "Your answer is wrong."
        )
        if self.critique is not None:
            parts.append(self.critique.text)
        return "\n".join(parts)


class Pair(Record):
    """A correct and an incorrect action at the same turn, with the same history."""

    chosen: Node
    """Proved correct."""
    rejected: Node
    """Proved wrong."""

    @model_validator(mode="after")
    def _proved(self) -> Self:
        for node, label in ((self.chosen, Label.CORRECT), (self.rejected, Label.WRONG)):
            if node.verdict.label is not label:
                raise ValueError(f"a pair needs a proved-{label} action, got {node.verdict.label}")
            if node.verdict.evidence is not None and node.verdict.evidence.check == "judge":
                raise ValueError("an action decided by a judge alone goes to SFT, never into a pair")
        return self


class StepStats(Record):
    """What one ladder step, or the pool, did at one turn."""

    step: str
    """Name of the step, or `incorrect`."""
    model: str
    """The model's name."""
    drawn: int
    """Completions drawn."""
    judged: int
    """Of these, proved correct or wrong."""
    correct: int
    """Of these, proved correct."""


class Turn(Record):
    """One turn of a tree: up to two nodes, and further pairs for hard instructions."""

    correct: Node | None = None
    """The correct action, which ends its trajectory."""
    incorrect: Node | None = None
    """The incorrect action, which is expanded into the next turn."""
    paired: bool = False
    """True where `correct` and `incorrect` form a pair (both there, both pass the filters)."""
    extra: tuple[Pair, ...] = ()
    """Additional pairs with the same history, one for each further ground-truth solution."""
    more_correct: tuple[Node, ...] = ()
    """Further correct actions without a partner: imported datasets have them, trees grown here do not."""
    first_correct: bool | None = None
    """Verdict on the actor's own first sample, which decides the `until_solved` stop; None if
    undetermined."""
    steps: tuple[StepStats, ...] = ()
    """What was drawn, judged and correct, by step."""

    @property
    def pass_rate(self) -> float | None:
        """Correct share of what the turn's first step judged: a difficulty signal; None where nothing was judged."""
        first = self.steps[0] if self.steps else None
        return first.correct / first.judged if first and first.judged else None


class TreeState(StrEnum):
    """The one state each instruction ends in."""

    COMPLETE = "complete"
    SFT_ONLY = "sft_only"
    UNSOLVED = "unsolved"
    SKIPPED = "skipped"
    FAILED = "failed"


class Tree(Record):
    """An instruction and its turns. The history of turn t is the incorrect nodes of the turns before it."""

    schema_version: Literal[1] = 1
    """Version of this record's format."""
    instruction: Instruction
    """The root."""
    turns: tuple[Turn, ...]
    """Turn 1 first; at most the turn cap."""
    ended: Literal["solved", "turn_cap", "no_incorrect", "no_critique"]
    """Why the tree stopped: the actor solved it unaided, the turn cap was reached, no wrong action was found
    to expand, or the critic refused to comment on it."""
    guards: dict[str, int] = Field(default_factory=dict)
    """How often each quality guard acted while this tree grew (see `ultrainteract.tree.guards`)."""

    @property
    def id(self) -> str:
        """The instruction's id: published as `parent_id`."""
        return self.instruction.id

    @property
    def depth(self) -> int:
        """Number of turns."""
        return len(self.turns)

    @property
    def state(self) -> TreeState:
        """`complete` with at least one pair, `sft_only` with correct actions alone, else `unsolved`."""
        if any(True for _ in self.pairs()):
            return TreeState.COMPLETE
        return TreeState.SFT_ONLY if any(turn.correct for turn in self.turns) else TreeState.UNSOLVED

    @property
    def simulated(self) -> bool:
        """True where any text of the tree was written by a simulated model."""
        return any(node.provenance.simulated for _, node in self.nodes())

    @property
    def hard(self) -> bool:
        """True where a correct action needed the guided step."""
        return any(
            stats.step.startswith("guided") and stats.drawn for turn in self.turns for stats in turn.steps
        )

    def nodes(self) -> Iterator[tuple[int, Node]]:
        """Yields (turn, node), correct before incorrect, then extra pairs and actions; turns count from 1."""
        for number, turn in enumerate(self.turns, 1):
            for node in (turn.correct, turn.incorrect):
                if node is not None:
                    yield number, node
            for pair in turn.extra:
                yield number, pair.chosen
                yield number, pair.rejected
            for node in turn.more_correct:
                yield number, node

    def pairs(self) -> Iterator[tuple[int, Pair]]:
        """Yields (turn, pair), the turn's own pair before its extra ones; turns count from 1."""
        for number, turn in enumerate(self.turns, 1):
            if turn.paired and turn.correct and turn.incorrect:
                yield number, Pair(chosen=turn.correct, rejected=turn.incorrect)
            for pair in turn.extra:
                yield number, pair

    def history(self, turn: int) -> tuple[Node, ...]:
        """The incorrect nodes expanded before `turn` (from 1): what its actions were asked with."""
        nodes = (earlier.incorrect for earlier in self.turns[: turn - 1])
        return tuple(node for node in nodes if node is not None)
