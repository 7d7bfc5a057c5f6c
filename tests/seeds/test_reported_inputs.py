"""Files as people really have them, each a class of fault: read whole, or what is not read is reported with its place."""

from __future__ import annotations

import datetime
import json
import struct
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from seed_helpers import load, run_config, write_lines

from ultrainteract.config import SeedConfig
from ultrainteract.readers.files import BadRecord, read_file
from ultrainteract.seeds import SeedIssue, stream_instructions

OWN = {
    "dataset": "generic", "name": "own", "tasks": ["Math_CoT"], "grader": "math",
    "mapping": {"question": "q", "gold": "a"}, "licence": "CC0-1.0",
}  # fmt: skip


def sums(folder: Path, name: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Questions with gold answers, and the issues, of an own file with the columns `q` and `a`."""
    instructions, issues = load(SeedConfig.model_validate({**OWN, "path": name}), folder)
    return [(i.question, i.gold) for i in instructions], [(i.source, i.reason) for i in issues]


@pytest.mark.parametrize("between", ["\n", "", "\r\n\r\n"])
@pytest.mark.parametrize("lists", [2, 3])
def test_json_lists_one_after_another_are_all_read(between: str, lists: int, tmp_path: Path) -> None:
    records = [{"question": f"What is {n} plus {n}?", "answer": f"#### {2 * n}"} for n in range(2 * lists)]
    text = between.join(json.dumps(records[n : n + 2]) for n in range(0, 2 * lists, 2))
    (tmp_path / "a.json").write_text(text)
    instructions, issues = load(SeedConfig(dataset="gsm8k", path="a.json", tasks=("Math_CoT",)), tmp_path)
    assert len(instructions) + len(issues) == 2 * lists
    assert [i.question for i in instructions] == [record["question"] for record in records]


@pytest.mark.parametrize(
    ("rows", "read", "place"),
    [
        ('What is 1 plus 1?,"2\nWhat is 2 plus 2?,4\nWhat is 3 plus 3?,6\n', [], "a.csv:2"),
        ('What is 1 plus 1?,2\n"What is 2 plus 2?,4\n', [("What is 1 plus 1?", "2")], "a.csv:3"),
    ],
)
def test_a_quote_that_never_closes_is_reported(
    rows: str, read: list[tuple[str, str]], place: str, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("q,a\n" + rows)
    found, ((where, reason),) = sums(tmp_path, "a.csv")
    assert found == read
    assert where == place
    assert "a quote is never closed" in reason


@pytest.mark.parametrize(
    "column",
    [
        pa.array(
            [250_000_000_000_000_000], pa.timestamp("us")
        ),  # in year 9892 … and far behind what Python counts
        pa.array([2**62], pa.timestamp("us")),
        pa.array([2**40], pa.timestamp("s", tz="UTC")),
        pa.array([2**30], pa.date32()),
        pa.array([2**62], pa.duration("s")),
        pa.array([[2**62]], pa.list_(pa.timestamp("us"))),
    ],
    ids=lambda column: str(column.type),
)
def test_a_column_that_is_not_used_stops_no_load(column: pa.Array, tmp_path: Path) -> None:
    table = pa.table({"q": ["What is 1 plus 1?"], "a": ["2"], "t": column})
    pq.write_table(table, tmp_path / "a.parquet")
    with pa.OSFile(str(tmp_path / "a.arrow"), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    for name in ("a.parquet", "a.arrow"):
        assert sums(tmp_path, name) == ([("What is 1 plus 1?", "2")], [])


def test_a_date_that_python_knows_is_kept(tmp_path: Path) -> None:
    when = datetime.datetime(2020, 2, 29, 12)
    pq.write_table(pa.table({"t": [when]}), tmp_path / "a.parquet")
    (row,) = read_file(tmp_path / "a.parquet")
    assert not isinstance(row, BadRecord)
    assert row.data["t"] == when


def test_a_number_of_many_digits_that_is_not_used_stops_no_load(tmp_path: Path) -> None:
    good = {"q": "What is 3 + 5 here?", "a": "8"}
    (tmp_path / "a.jsonl").write_text(json.dumps(good)[:-1] + f', "extra": {"1" * 5000}}}\n')
    (tmp_path / "a.json").write_text(f'[{json.dumps(good)[:-1]}, "extra": [-{"1" * 5000}]}}]')
    for name in ("a.jsonl", "a.json"):
        assert sums(tmp_path, name) == ([(good["q"], good["a"])], [])


@pytest.mark.parametrize(
    "options",
    [
        "a ) a ) 10 , b ) b ) 12 , c ) c ) 14 , d ) d ) 16 , e ) e ) 18",
        "a ) 10 , b ) 12 , c ) 14 , d ) 16 , e ) 18",
        "['a ) 10', 'b ) 12', 'c ) 14', 'd ) 16', 'e ) 18']",
    ],
)
def test_letters_of_mathqa_are_no_part_of_its_choices(options: str, tmp_path: Path) -> None:
    record = {
        "Problem": "4 rows of 3 cups . how many cups ?", "Rationale": "4 * 3 = 12", "options": options, "correct": "b",
        "annotated_formula": "multiply(4, 3)", "linear_formula": "multiply(n0,n1)|", "category": "general",
    }  # fmt: skip
    write_lines(tmp_path / "a.jsonl", [record])
    (instruction,), issues = load(
        SeedConfig(dataset="mathqa", path="a.jsonl", tasks=("Math_CoT",), options={"choices": "always"}),
        tmp_path,
    )
    assert not issues
    assert (instruction.choices, instruction.gold) == (("10", "12", "14", "16", "18"), "B")


@pytest.mark.parametrize(
    ("answers", "kept", "rule"),
    [
        (("1", "999"), 1, "conflicting_gold"),
        (("1", "999", "1"), 1, "conflicting_gold"),
        (("1", "1"), 1, "duplicate"),
    ],
)
def test_two_gold_answers_of_one_question_are_reported(
    answers: tuple[str, ...], kept: int, rule: str, tmp_path: Path
) -> None:
    write_lines(tmp_path / "a.jsonl", [{"q": "What is 0 + 1 in total?", "a": answer} for answer in answers])
    items = list(stream_instructions(run_config([{**OWN, "path": "a.jsonl"}]), tmp_path))
    issues = [item for item in items if isinstance(item, SeedIssue)]
    assert len(items) - len(issues) == kept
    assert len(issues) == len(answers) - kept
    assert issues[0].rule == rule


@pytest.mark.parametrize(
    "arguments", [{"settings": [{"colour": 7}]}, {"settings": [[{"colour": [7]}]]}, {"settings": [None]}]
)
def test_calls_with_plain_values_inside_objects_end_no_load(
    arguments: dict[str, list], tmp_path: Path
) -> None:
    def asked(number: int, text: str, name: str, **properties: dict) -> dict:
        function = {"name": name, "description": "Does it.", "parameters": {
            "type": "dict", "properties": properties, "required": list(properties)}}  # fmt: skip
        return {
            "id": f"own_{number}",
            "question": [[{"role": "user", "content": text}]],
            "function": [function],
        }

    (tmp_path / "possible_answer").mkdir()
    write_lines(tmp_path / "BFCL_v4_own.json", [
        asked(0, "Store the colour 7.", "store", settings={"type": "dict"}),
        asked(1, "Ring the bell twice.", "ring", times={"type": "integer"}),
    ])  # fmt: skip
    write_lines(tmp_path / "possible_answer/BFCL_v4_own.json", [
        {"id": "own_0", "ground_truth": [{"store": arguments}]},
        {"id": "own_1", "ground_truth": [{"ring": {"times": [2]}}]},
    ])  # fmt: skip
    instructions, issues = load(SeedConfig(dataset="bfcl", path="."), tmp_path)
    assert len(instructions) + len(issues) == 2
    assert instructions[-1].gold == "ring(times=2)"
    if arguments == {"settings": [{"colour": 7}]}:
        assert instructions[0].gold == "store(settings={'colour': 7})"


APPLES = {
    "Han": "小明有三个苹果他的妈妈又给了他五个苹果然后他吃掉了两个苹果请问小明现在一共还有多少个苹果？",
    "Kana": "たろうはりんごをみっつもっていますははがあといつつくれましたいまりんごはいくつありますか。",
    "Thai": "เด็กชายมีแอปเปิลสามผลแม่ให้อีกห้าผลแล้วเขากินไปสองผลตอนนี้เขามีแอปเปิลกี่ผล",
    "Latin": "A baker made 24 loaves and sold 9 of them before noon. How many?",
}


@pytest.mark.parametrize("script", APPLES)
def test_a_text_that_holds_a_whole_test_item_is_contaminated_in_any_script(
    script: str, tmp_path: Path
) -> None:
    item = APPLES[script]
    write_lines(tmp_path / "bench.jsonl", [{"question": item}])
    clean = "What is 17 times 3 minus 4 plus 12 divided by 2?"
    write_lines(
        tmp_path / "a.jsonl",
        [
            {"q": q, "a": "6"}
            for q in (f"1. {item} 2.", item, f"Solve: {item}", clean, item[: len(item) // 18])
        ],
    )
    config = run_config([{**OWN, "path": "a.jsonl"}], decontaminate=["bench.jsonl"])
    items = list(stream_instructions(config, tmp_path))
    dropped = [item for item in items if isinstance(item, SeedIssue)]
    assert [issue.rule for issue in dropped] == ["decontaminate"] * 3
    assert [i.question for i in items if not isinstance(i, SeedIssue)] == [
        clean,
        item[: len(item) // 18].strip(),
    ]


@pytest.mark.parametrize(
    "content",
    [
        b'\n{"a": 1}',
        struct.pack("<i", 2**31 - 9) + b"x" * 60,
        struct.pack("<Ii", 2**32 - 1, 2**31 - 9) + b"x" * 60,
    ],
    ids=["text", "old stream", "stream"],
)
def test_a_length_that_an_arrow_file_states_sets_no_memory_aside(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.arrow").write_bytes(content)
    (row,) = read_file(tmp_path / "a.arrow")
    assert isinstance(row, BadRecord)
    assert "not readable as arrow" in row.reason
    assert pa.default_memory_pool().max_memory() < 1 << 30
