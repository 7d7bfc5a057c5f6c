"""Checks of any dataset in UltraInteract's layout, or in a trainer's, against every rule it should keep.

One pass over the rows, with memory that grows by a few bytes a row (for duplicates and for the shape of trees). A
violation says which rule, where, and what is there.

This module is long because it holds the rules of every layout, one class each, over the same pass and helpers.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any

from pydantic import ValidationError

from ultrainteract.dataset.published import PAIR_COLUMNS, SFT_COLUMNS, kind_name
from ultrainteract.dataset.rebuild import parse_id, task_of
from ultrainteract.dataset.rules import LEARNED, MEANINGS, WARNINGS, DatasetRules, tools
from ultrainteract.dataset.rules import prompts as rl
from ultrainteract.dataset.tree_table import TREE_COLUMNS, tree_rows
from ultrainteract.errors import DataError
from ultrainteract.readers.code import code_blocks, syntax_ok, with_line_feeds
from ultrainteract.readers.files import BadRecord
from ultrainteract.readers.rows import Ambiguous
from ultrainteract.readers.tables import Table
from ultrainteract.schema import Tree, content_hash
from ultrainteract.wording import WRONG

Row = Mapping[str, Any]
Found = tuple[str, str]
"""(rule, what is there)"""

RULES = (
    {
        "columns": "exactly the published columns, in their order",
        "readable": "every record of a file can be read",
        "type": "texts are texts, turns are objects with a role and a text",
        "empty": "no field is missing or blank",
        "task": "the task is one of the published names",
        "id": "an id is 64 hex digits, the tree's depth, the turn; a parent id is 64 hex digits",
        "id_turn": "the id names the turn the row stands at, which is within the tree's depth",
        "duplicate_id": "no id occurs twice",
        "roles": "user and assistant alternate, the user first; a prompt ends with the user",
        "equal_pair": "chosen and rejected differ in more than case and white space",
        "duplicate": "no row occurs twice",
        "tree": "the pairs of an instruction make one tree: same prompt, same depth, one history",
        "leak": "no feedback states the answer that the chosen action gives",
        "syntax": "Python code in a paired action parses",
        "label": "labels are booleans, as many as there are steps",
        "prefix": "chosen and rejected begin with the same prompt",
    }
    | MEANINGS
    | rl.MEANINGS
)
"""Every rule, in words."""
EXAMPLES = 5
"""Violations shown of each rule."""

_SAYS_ANSWER = (
    r"(?:answer|result|value|solution|output)\s*"
    r"(?:is|are|was|should\s+(?:have\s+been|be)|must\s+be|equals|=|:)\s*[\"'$`*(\[]*"
)


@dataclass
class Report:
    """What was checked and what broke."""

    rows: dict[str, int] = field(default_factory=dict)
    """Rows checked, by table."""
    layouts: dict[str, str] = field(default_factory=dict)
    """The layout each table was taken for."""
    broken: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Violations by (table, rule)."""
    examples: defaultdict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    """The first violations of each, with their places."""
    warnings: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """What a sound dataset may be, but a trainer has to be set up for, by (table, rule)."""

    @property
    def ok(self) -> bool:
        """Whether nothing broke."""
        return not self.broken

    def add(self, table: str, rule: str, where: str, detail: str) -> None:
        """Notes one violation, or warning."""
        if rule in WARNINGS:
            self.warnings.setdefault((table, rule), []).append(detail)
            return
        self.broken[table, rule] += 1
        if len(self.examples[table, rule]) < EXAMPLES:
            self.examples[table, rule].append(f"{where}: {detail}")

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON."""
        return {
            "ok": self.ok,
            "tables": [
                {"table": name, "layout": self.layouts[name], "rows": rows} for name, rows in self.rows.items()
            ],
            "violations": [
                {"table": table, "rule": rule, "meaning": RULES[rule], "rows": count,
                 "examples": self.examples[table, rule]}
                for (table, rule), count in sorted(self.broken.items())
            ],
            "warnings": [
                {"table": table, "rule": rule, "meaning": RULES[rule], "details": details}
                for (table, rule), details in sorted(self.warnings.items())
            ],
        }  # fmt: skip


def validate(tables: Iterable[Table]) -> Report:
    """Checks tables; those of an unknown layout are reported as a violation of `columns`."""
    report = Report()
    tables = list(tables)
    across = DatasetRules((table.name, table.columns) for table in tables)
    for table in tables:
        layout, checker = _layout(table.columns)
        report.layouts[table.name] = layout
        if checker is None:
            missing = [name for name in _PUBLISHED.get(layout, ()) if name not in table.columns]
            said = (
                f"without {', '.join(missing)}" if missing else f"unknown layout: {', '.join(table.columns)}"
            )
            report.add(table.name, "columns", table.name, said)
            report.rows[table.name] = 0
            for record in table.records(None) if not table.columns else ():
                if isinstance(record, BadRecord):
                    report.add(table.name, "readable", record.where, record.reason)
            continue
        rows = 0
        more = across.table(table.name, table.columns)
        absent = dict.fromkeys(table.columns)  # JSONL rows may lack what the first one has
        for record in table.records(None):
            rows += 1
            if isinstance(record, BadRecord):
                report.add(table.name, "readable", record.where, record.reason)
                continue
            where, row = record
            whole = {**absent, **row}
            found = list(checker.types(whole))
            if not found:
                found = list(checker.check(whole))
                blank = any(
                    rule == "empty" for rule, _ in found
                )  # then nothing is learned, either: said once
                silent = blank or layout in rl.LAYOUTS
                further = more.check(whole) if layout != tools.LAYOUT else ()
                found += [(rule, detail) for rule, detail in further if not (silent and rule == LEARNED)]
            for rule, detail in found:
                report.add(table.name, rule, where, detail)
        report.rows[table.name] = rows
        for rule, detail in chain(checker.finish(table.columns), more.finish()):
            report.add(table.name, rule, table.name, detail)
    return report


def _layout(columns: tuple[str, ...]) -> tuple[str, _Checker | None]:
    layouts: tuple[tuple[str, Set[str], Callable[[], _Checker] | None], ...] = (
        ("UltraInteract trees", {"id", "tree", "turns"}, _TreeRows),
        ("UltraInteract pair", set(PAIR_COLUMNS), _PairRows),
        ("UltraInteract sft", set(SFT_COLUMNS), _SftRows),
        *((layout, known, partial(_Prompts, layout)) for layout, known in rl.LAYOUTS.items()),
        ("UltraInteract pair", {"trajectory", "chosen"}, None),
        ("UltraInteract sft", {"instruction", "response", "task"}, None),
        ("preference", {"chosen", "rejected"}, _Preferences),
        ("stepwise", {"prompt", "completions", "labels"}, _Stepwise),
        ("turn labels", {"prompt", "actions", "labels", "solved_at"}, _Turns),
        ("responses under constitutions", {"constitutions", "prompts", "responses"}, _Principles),
        ("unpaired preference", {"completion", "label"}, _Completions),
        ("prompt-completion", {"prompt", "completion"}, _Completions),
        ("conversations", {"messages"}, _Chats),
        ("conversations", {"conversations"}, _Chats),
    )
    if any(wanted <= set(columns) for wanted in tools.COLUMNS):
        return tools.LAYOUT, _Tools()
    for layout, wanted, checker in layouts:
        if wanted <= set(columns):
            return layout, checker() if checker else None
    return "unknown", None


_PUBLISHED = {"UltraInteract pair": PAIR_COLUMNS, "UltraInteract sft": SFT_COLUMNS}
"""Layouts whose columns are all needed."""


class _Checker:
    """Checks the rows of one table in order."""

    columns: Mapping[str, str] = {}

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def types(self, row: Row) -> Iterator[Found]:
        """Yields the fields that hold what they cannot hold; such a row is not checked further."""
        for name, value in row.items():
            if isinstance(value, Ambiguous):
                yield "type", f"'{name}' occurs twice, with different values"
            elif name in _TEXTS and not isinstance(value, str | None):
                yield "type", f"'{name}' holds {kind_name(value)} where text belongs"
            elif name in _TURNS and value is not None:
                yield from _turn_types(name, value)

    def check(self, row: Row) -> Iterator[Found]:
        """Yields the violations of a row."""
        raise NotImplementedError

    def finish(self, columns: tuple[str, ...]) -> Iterator[Found]:
        """Yields the violations of the table as a whole."""
        if self.columns and columns != tuple(self.columns):
            yield "columns", f"{', '.join(columns)} instead of {', '.join(self.columns)}"

    def _new(self, value: Any) -> bool:
        """Whether `value` has not been seen before."""
        key = int(content_hash(value)[:16], 16)
        known = key in self._seen
        self._seen.add(key)
        return not known


_TEXTS = frozenset(
    {"task", "dataset", "instruction", "response", "id", "parent_id", "input", "output", "tree"}
)
"""Fields that hold a text in every layout."""
_TURNS = frozenset(
    {"prompt", "chosen", "rejected", "completion", "messages", "conversations", "trajectory", "completions"}
)
"""Fields that hold a text, a turn, or a list of them."""


def _turn_types(name: str, value: Any) -> Iterator[Found]:
    if isinstance(value, str):
        return
    for turn in (
        [value] if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else [None]
    ):
        if isinstance(turn, str) and name == "completions":
            continue
        if not isinstance(turn, Mapping):
            what = kind_name(value) if turn is None else f"a list of {kind_name(turn)}"
            yield "type", f"'{name}' holds {what} where text or turns belong"
            return
        for key in ("role", "from", "content", "value"):
            if not isinstance(turn.get(key), str | None):
                yield "type", f"'{key}' of a turn in '{name}' holds {kind_name(turn[key])} where text belongs"
                return


class _Published(_Checker):
    """What both published splits have in common."""

    def types(self, row: Row) -> Iterator[Found]:
        yield from super().types(row)
        for name in ("trajectory", "chosen", "rejected"):
            if name in self.columns and row[name] is not None:
                value = row[name]
                if name != "trajectory" and not isinstance(value, str):
                    yield "type", f"'{name}' holds {kind_name(value)} where text belongs"
                elif name == "trajectory" and isinstance(value, str | Mapping):
                    yield "type", f"'trajectory' holds {kind_name(value)} where a list of turns belongs"

    def _common(self, row: Row) -> Iterator[Found]:
        for name in self.columns:
            value = row[name]
            if value is None or (isinstance(value, str) and not value.strip()) or value == []:
                yield "empty", f"'{name}' is empty"
        try:
            if row["task"]:
                task_of(str(row["task"]))
        except DataError as error:
            yield "task", str(error)
        named = parse_id(str(row["id"]))
        if named is None:
            yield "id", f"id '{row['id']}'"
        elif not 1 <= named.turn <= named.depth:
            yield (
                "id_turn",
                f"id …_{named.depth}_{named.turn}: turn {named.turn} of a tree of depth {named.depth}",
            )
        if not re.fullmatch(r"[0-9a-f]{64}", str(row["parent_id"])):
            yield "id", f"parent_id '{row['parent_id']}'"
        if not self._new(["id", row["id"]]):
            yield "duplicate_id", str(row["id"])


class _SftRows(_Published):
    columns = SFT_COLUMNS

    def check(self, row: Row) -> Iterator[Found]:
        yield from self._common(row)
        if not self._new([row["parent_id"], row["instruction"], row["response"], str(row["id"])[-4:]]):
            yield "duplicate", f"instruction and response of {row['id']} occurred before"


@dataclass
class _Shape:
    """What the pairs of one instruction have said so far."""

    prompt: int
    depth: int
    history: dict[int, int] = field(default_factory=dict)
    """Hash of (action, feedback) by turn."""
    rejected: dict[int, int] = field(default_factory=dict)
    """Hash of the own pair's rejected action by turn."""
    actions: dict[int, int] = field(default_factory=dict)
    """Hash of the expanded action by turn."""


class _PairRows(_Published):
    columns = PAIR_COLUMNS

    def __init__(self) -> None:
        super().__init__()
        self._shapes: dict[str, _Shape] = {}
        self._short: list[str] = []
        """Ids of later turns that stand without a history: right only where the whole table has none."""
        self._longer = False

    def check(self, row: Row) -> Iterator[Found]:
        yield from self._common(row)
        talk = [(str(turn.get("from")), str(turn.get("value") or "")) for turn in row["trajectory"] or ()]
        if talk and talk[0][0] == "system":
            yield "roles", "the published layout has no system turn"
        yield from _roles([role for role, _ in talk], ends_with_user=True)
        if any(not text.strip() for _, text in talk):
            yield "empty", "a turn of the trajectory is empty"
        chosen, rejected = str(row["chosen"] or ""), str(row["rejected"] or "")
        yield from _pair(chosen, rejected, [text for _, text in talk])
        if not self._new([talk, chosen, rejected]):
            yield "duplicate", f"the pair {row['id']} occurred before"
        named = parse_id(str(row["id"]))
        turn = (len(talk) + 1) // 2
        if named is not None and talk:
            self._longer = self._longer or turn > 1
            if turn == 1 and named.turn > 1:
                self._short.append(str(row["id"]))
            elif named.turn != turn:
                yield "id_turn", f"{row['id']} stands at turn {turn}"
            own = named.hex == row["parent_id"] and named.turn == turn
            yield from self._tree(str(row["parent_id"]), named.depth, turn, talk, rejected if own else None)

    def _tree(
        self, parent: str, depth: int, turn: int, talk: list[tuple[str, str]], rejected: str | None
    ) -> Iterator[Found]:
        prompt = hash(talk[0][1])
        shape = self._shapes.setdefault(parent, _Shape(prompt, depth))
        if shape.prompt != prompt:
            yield "tree", f"instruction {parent} has two prompts"
        if shape.depth != depth:
            yield "tree", f"instruction {parent} has depths {shape.depth} and {depth}"
        for number in range(1, turn):
            step = talk[2 * number - 1 : 2 * number + 1]
            if shape.history.setdefault(number, hash(tuple(step))) != hash(tuple(step)):
                yield "tree", f"instruction {parent} has two histories at turn {number}"
            shape.actions.setdefault(number, hash(step[0][1]))
        if rejected is not None and shape.rejected.setdefault(turn, hash(rejected)) != hash(rejected):
            yield "tree", f"instruction {parent} has two own pairs at turn {turn}"

    def finish(self, columns: tuple[str, ...]) -> Iterator[Found]:
        yield from super().finish(columns)
        for name in self._short if self._longer else ():
            yield "id_turn", f"{name} has no history"
        for parent, shape in self._shapes.items():
            for turn, action in shape.actions.items():
                if shape.rejected.get(turn, action) != action:
                    yield "tree", f"instruction {parent} goes on from another action than turn {turn} rejects"


class _TreeRows(_Checker):
    columns = TREE_COLUMNS

    def check(self, row: Row) -> Iterator[Found]:
        try:
            tree = Tree.model_validate_json(row["tree"])
        except (ValidationError, TypeError) as error:
            yield "tree", f"not a tree: {str(error).splitlines()[0]}"
            return
        if tree.id != row["id"] or not self._new(row["id"]):
            yield ("duplicate_id" if tree.id == row["id"] else "id"), f"id '{row['id']}'"
        (expected,) = tree_rows(tree)
        wrong = [name for name, value in expected.items() if row.get(name) != value]
        if wrong:
            yield "tree", f"{', '.join(wrong)} differ from the tree of {tree.id}"
        for _, node in tree.nodes():
            critique = node.critique
            if critique and tree.instruction.gold and _states(critique.text, tree.instruction.gold):
                yield "leak", f"a critique in {tree.id} states the gold answer"


class _Preferences(_Checker):
    def check(self, row: Row) -> Iterator[Found]:
        chosen, rejected = _talk(row["chosen"], "assistant"), _talk(row["rejected"], "assistant")
        prompt = next(
            (_talk(row[name]) for name in ("prompt", "messages", "conversations") if name in row), None
        )
        if not chosen or not rejected or prompt == []:
            yield "empty", "prompt, chosen or rejected is empty"
            return
        if prompt is None:
            if chosen[:-1] != rejected[:-1] or len(chosen) < 2:
                yield "prefix", "chosen and rejected do not share their prompt"
            prompt = chosen[:-1]
            chosen, rejected = chosen[-1:], rejected[-1:]
        if any(not text.strip() for _, text in (*prompt, *chosen, *rejected)):
            yield "empty", "a turn is empty"
        for side in (chosen, rejected):
            yield from _roles([role for role, _ in (*prompt, *side)], ends_with_user=False)
        yield from _pair(chosen[-1][1], rejected[-1][1], [text for _, text in prompt])
        if not self._new([prompt, chosen, rejected]):
            yield "duplicate", "the pair occurred before"


class _Completions(_Checker):
    def check(self, row: Row) -> Iterator[Found]:
        prompt, completion = _talk(row["prompt"]), _talk(row["completion"], "assistant")
        if not prompt or not completion or any(not text.strip() for _, text in (*prompt, *completion)):
            yield "empty", "prompt or completion is empty"
        yield from _roles([role for role, _ in (*prompt, *completion)], ends_with_user=False)
        if "label" in row and not isinstance(row["label"], bool):
            yield "label", f"label {row['label']!r}"
        if not self._new([prompt, completion, row.get("label")]):
            yield "duplicate", "the row occurred before"


class _Chats(_Checker):
    def check(self, row: Row) -> Iterator[Found]:
        talk = _talk(row["messages"] if "messages" in row else row["conversations"])
        if not talk or any(not text.strip() for _, text in talk):
            yield "empty", "the conversation, or a turn of it, is empty"
        yield from _roles([role for role, _ in talk], ends_with_user=False)
        for name in ("label", "kto_tag"):
            if name in row and not isinstance(row[name], bool):
                yield "label", f"{name} {row[name]!r}"
        if not self._new([talk, row.get("label"), row.get("kto_tag")]):
            yield "duplicate", "the conversation occurred before"


class _Prompts(_Checker):
    """Prompts for reinforcement learning: see `dataset.rules.prompts`."""

    def __init__(self, layout: str) -> None:
        super().__init__()
        self._layout = layout

    def types(self, row: Row) -> Iterator[Found]:
        return (
            found for found in super().types(row) if isinstance(row.get(found[1].split("'")[1]), Ambiguous)
        )

    def check(self, row: Row) -> Iterator[Found]:
        yield from rl.prompt_faults(self._layout, row)
        if not self._new(row):
            yield "duplicate", "the row occurred before"


class _Tools(_Checker):
    """Rows whose conversations hold calls: see `dataset.rules.tools`."""

    def check(self, row: Row) -> Iterator[Found]:
        yield from tools.tool_faults(row)
        if not self._new(row):
            yield "duplicate", "the row occurred before"


class _Stepwise(_Checker):
    def check(self, row: Row) -> Iterator[Found]:
        steps, labels = row["completions"] or [], row["labels"] or []
        if not row["prompt"] or not steps or any(not step.strip() for step in steps):
            yield "empty", "prompt or a step is empty"
        if len(labels) != len(steps) or any(not isinstance(label, bool) for label in labels):
            yield "label", f"{len(labels)} labels for {len(steps)} steps"
        if not self._new([row["prompt"], steps]):
            yield "duplicate", "the trajectory occurred before"


class _Turns(_Checker):
    def check(self, row: Row) -> Iterator[Found]:
        actions, labels, said = row["actions"] or [], row["labels"] or [], row.get("feedback") or []
        if not row["prompt"] or not actions or any(not action.strip() for action in actions):
            yield "empty", "prompt or an action is empty"
        right = [number for number, label in enumerate(labels, 1) if label]
        solved_at = row["solved_at"]
        if len(labels) != len(actions) or len(said) != len(actions) - 1:
            yield "label", f"{len(labels)} labels and {len(said)} feedbacks for {len(actions)} actions"
        elif right != ([solved_at] if solved_at else []) or (right and right != [len(labels)]):
            yield "label", f"labels {labels} of a trajectory solved at turn {solved_at}"
        if not self._new([row["prompt"], actions]):
            yield "duplicate", "the trajectory occurred before"


class _Principles(_Checker):
    def check(self, row: Row) -> Iterator[Found]:
        sides = [row["constitutions"] or [], row["prompts"] or [], row["responses"] or []]
        matrix = row.get("logprobs") or []
        count = len(sides[0])
        if count < 2 or any(len(side) != count for side in sides):
            yield "label", f"{count} constitutions, {len(sides[1])} prompts and {len(sides[2])} responses"
        elif any(not text.strip() for side in sides for text in side):
            yield "empty", "a constitution, prompt or response is empty"
        if matrix and [len(line) for line in matrix] != [count] * count:
            yield "label", f"log-probabilities that are no {count} x {count} matrix"
        if not self._new([row["prompts"], sides[2]]):
            yield "duplicate", "the responses occurred before"


# ------------------------------------------------------------------------------------------- single rules


def _talk(value: Any, role: str = "user") -> list[tuple[str, str]]:
    """(role, text) of a text, one message or a list of messages, in either usual spelling of keys and roles."""
    if isinstance(value, str):
        return [(role, value)]
    turns = [value] if isinstance(value, Mapping) else value or []
    names = {"human": "user", "gpt": "assistant"}
    found = []
    for turn in turns:
        role = str(turn.get("role") or turn.get("from"))
        found.append((names.get(role, role), str(turn.get("content") or turn.get("value") or "")))
    return found


def _roles(roles: list[str], *, ends_with_user: bool) -> Iterator[Found]:
    roles = roles[1:] if roles[:1] == ["system"] else roles
    if any(role != ("user", "assistant")[number % 2] for number, role in enumerate(roles)):
        yield "roles", f"roles are {', '.join(roles)}"
    elif roles and (roles[-1] == "user") != ends_with_user:
        yield "roles", f"the last turn is the {roles[-1]}'s"


def _pair(chosen: str, rejected: str, prompt: list[str]) -> Iterator[Found]:
    if " ".join(chosen.casefold().split()) == " ".join(rejected.casefold().split()):
        yield "equal_pair", "chosen and rejected are the same text"
    for name, text in (("chosen", chosen), ("rejected", rejected)):
        blocks = code_blocks(with_line_feeds(text))
        if any(not syntax_ok(block.code) for block in blocks if block.python):
            yield "syntax", f"the code of {name} does not parse"
    answer = _answer(chosen)
    for feedback in prompt[2::2]:
        critique = feedback.partition(f"{WRONG}\n")[2]
        if answer and _states(critique, answer):
            yield "leak", f"feedback says that the answer is {answer!r}, as chosen does"
            return


def _answer(text: str) -> str:
    """The answer a text states, after `Answer:`, without a box around it; empty if it states none."""
    _, stated, answer = text.rpartition("Answer:")
    answer = answer.strip().strip("$").removesuffix(".")
    if answer.startswith("\\boxed{") and answer.endswith("}"):
        answer = answer[len("\\boxed{") : -1]
    return answer if stated and "\n" not in answer and len(answer) <= 80 else ""


def _states(text: str, answer: str) -> bool:
    """Whether `text` calls `answer` the answer."""
    pattern = _SAYS_ANSWER + re.escape(answer.strip()) + r"(?![\w.]*\d)(?!\w)"
    return re.search(pattern, text, re.IGNORECASE) is not None
