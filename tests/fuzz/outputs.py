"""Targets: what is read from completions, from files and from published rows."""

from __future__ import annotations

import base64
import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests.builders import math_pot
from tests.fuzz.registry import target
from tests.fuzz.texts import texts
from ultrainteract.dataset.importing import ImportedTrees
from ultrainteract.dataset.validate import validate
from ultrainteract.errors import DataError, SeedError
from ultrainteract.exporting import pair_rows, sft_rows
from ultrainteract.models.base import ChatRequest, Purpose
from ultrainteract.models.openai.wire import WireError, parse_answer
from ultrainteract.models.reasoning import split_reasoning
from ultrainteract.readers.code import split_program
from ultrainteract.readers.files import BadRecord, read_file
from ultrainteract.readers.rows import Row, Unusable, read_nested
from ultrainteract.readers.tables import open_tables
from ultrainteract.schema import Message, SamplingParams, Task
from ultrainteract.seeds.selection.ngrams import normalise
from ultrainteract.tree.actions import parse_action

CORPUS = (
    "<thought>\nStep 1: x\n</thought>\n<execute>\nprint(5)\n</execute>\n<solution>\nAnswer: 5\n</solution>",
    "1. Do:\n\n   ```python\n   x = 1\n   print(x)\n   ```\n\n2. Done.", "~~~python\nprint(1)\n~~~", "#### 5\n\nQuestion: next?\n",
    "> ```py\n> print(1)\n> ```\n", "**Final Answer**\n\n\\[\n\\boxed{5}\n\\]", "<think>a</think>x", "[THINK]a[/THINK]", "<|im_end|>",
    "def f(x):\n    return x\n", "import math\n", "```{python}\n", "    ", "\n- ", "\n> ", "\r\n", "Therefore, the answer is 5.",
)  # fmt: skip
TEXTS = texts(CORPUS)
ROW = {
    "task": "Math_CoT", "dataset": "own", "trajectory": [{"from": "user", "value": "What is 2 plus 3?"}], "chosen": "5",
    "rejected": "6", "id": "ab" * 32 + "_1_1", "parent_id": "ab" * 32,
}  # fmt: skip
SFT = {
    "task": "Coding",
    "dataset": "own",
    "instruction": "Do.",
    "response": "5",
    "id": "cd" * 32 + "_1_1",
    "parent_id": "ab" * 32,
}
ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**20) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["from", "value", "role", "content", "x"]), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


@target(
    "outputs.action",
    lambda: st.fixed_dictionaries({"text": TEXTS, "task": st.sampled_from([t.value for t in Task])}),
)
def _action(value: Any) -> Any:
    instruction = math_pot().model_copy(update={"task": Task(value["task"])})
    action = parse_action(value["text"], instruction, "cot")
    return [action.code, action.answer, action.text, action.syntax_ok]


@target("outputs.program", lambda: TEXTS)
def _program(value: Any) -> Any:
    return list(split_program(value))


@target("outputs.reasoning", lambda: TEXTS)
def _reasoning(value: Any) -> Any:
    return list(split_reasoning(value))


@target(
    "outputs.completion",
    lambda: st.fixed_dictionaries({"message": ANY, "content": ANY | TEXTS, "finish": ANY, "usage": ANY}),
)
def _completion(value: Any) -> Any:
    request = ChatRequest(
        messages=(Message(role="user", content="?"),),
        sampling=SamplingParams(),
        purpose=Purpose(role="actor", step="s"),
    )
    message = {
        "content": value["content"],
        **(value["message"] if isinstance(value["message"], dict) else {}),
    }
    body = {"choices": [{"message": message, "finish_reason": value["finish"]}], "usage": value["usage"]}
    try:
        completions, usage = parse_answer(json.dumps(body).encode(), request)
    except WireError as error:
        return str(error)
    return [[c.model_dump(mode="json") for c in completions], usage.model_dump(mode="json")]


@target("readers.nested", lambda: TEXTS)
def _nested(value: Any) -> Any:
    try:
        return repr(read_nested(value, "x"))
    except Unusable as error:
        return str(error)


@target("readers.ngrams", lambda: TEXTS)
def _ngrams(value: Any) -> Any:
    return normalise(value).decode()


_PIECES = st.sampled_from(
    ['{"a": 1}', '{"a": "x", "a": "y"}', "[", "]", "{", "}", ",", ":", '"', "\n", "a,b\n", '"x\n', "1", "9" * 5000, "\ufeff", "\\ud800",
     '[{"a": 1}]', "null", "NaN", "\t", " ", "\0", '"a": {"b": 2}', "'"]
).map(str.encode) | st.binary(max_size=6)  # fmt: skip


@target(
    "readers.files",
    lambda: st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["jsonl", "json", "csv", "tsv", "parquet", "arrow", "jsonl.gz"]),
            "data": st.lists(_PIECES, max_size=30)
            .map(b"".join)
            .map(lambda data: base64.b64encode(data).decode()),
        }
    ),
)
def _files(value: Any) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"x.{value['kind']}"
        path.write_bytes(base64.b64decode(value["data"]))
        try:
            rows = list(read_file(path))
        except SeedError as error:
            return type(error).__name__
        for row in rows:
            if isinstance(row, Row):
                for name in row.data:
                    try:
                        row.optional_text(name)
                    except Unusable:
                        continue
        return [row.reason if isinstance(row, BadRecord) else repr(row.data) for row in rows]


@target(
    "readers.published",
    lambda: st.lists(
        st.tuples(st.sampled_from(["pair", "sft"]), st.dictionaries(st.sampled_from(sorted(ROW | SFT)), ANY | TEXTS, max_size=2)),
        min_size=1, max_size=4,
    ).map(lambda rows: [[kind, change] for kind, change in rows]),
    limit_s=2.0,
)  # fmt: skip
def _published(value: Any) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        for kind, base in (("pair", ROW), ("sft", SFT)):
            rows = [{**base, **change} for found, change in value if found == kind]
            if rows:
                (Path(folder) / f"{kind}.jsonl").write_text("\n".join(map(json.dumps, rows)))
        report = validate(open_tables(folder)).to_json()
        try:
            with ImportedTrees.of(folder) as trees:
                exported = [row for tree in trees for row in (*pair_rows(tree), *sft_rows(tree))]
        except DataError as error:
            return [report, str(error).replace(folder, "")]
        return json.loads(json.dumps([report, exported, trees.examples]))
