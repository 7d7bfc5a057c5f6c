"""Hostile and broken files: every bad record is named with file and line, the rest is read, nothing crashes."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seed_helpers import load, write_lines

from ultrainteract.config import FieldMapping, SeedConfig
from ultrainteract.config.binding import binding
from ultrainteract.config.credentials import STORED
from ultrainteract.errors import ConfigError, SeedError
from ultrainteract.readers import files
from ultrainteract.readers.files import BadRecord, read_file
from ultrainteract.readers.rows import Row

GOOD = json.dumps({"question": "1+1?", "answer": "Two.\n#### 2"})


def reasons(folder: Path, name: str, dataset: str = "gsm8k") -> tuple[int, list[tuple[str, str]]]:
    instructions, issues = load(SeedConfig(dataset=dataset, path=name), folder)
    return len(instructions), [(issue.source, issue.reason) for issue in issues]


def test_bad_lines_are_named_and_passed_over(tmp_path: Path) -> None:
    lines = [
        GOOD.encode(),
        b"{not json",
        b'{"question": "caf\xe9", "answer": "#### 1"}',  # Latin-1
        b'{"answer": "#### 1"}',
        b'{"question": 7, "answer": ["#### 1"]}',
        b'"text"',
        b"",
        b'{"question": "no mark", "answer": "1"}',
        b'{"question": "  ", "answer": "#### 1"}',
        b'{"question": "' + b"x" * 200_000 + b'", "answer": "#### 1"}',
        b'{"question": "nul \\u0000", "answer": "#### 1"}',
        b'{"question": "half a pair \\ud800", "answer": "#### 1"}',
        b'{"question": "many digits", "answer": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        GOOD.replace("1+1", "1+2").encode(),
    ]
    (tmp_path / "bad.jsonl").write_bytes(b"\n".join(lines))
    count, issues = reasons(tmp_path, "bad.jsonl")
    assert count == 4
    assert [source for source, _ in issues] == [
        f"bad.jsonl:{n}" for n in (2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14)
    ]
    for (_, reason), expected in zip(
        issues,
        ["not valid JSON", "not valid UTF-8 at byte 17", "'question' is missing", "holds list", "str where an object",
         "no '####' line", "statement is empty", "200,000 characters", "NUL", "not valid Unicode", "no '####' line", "JSON"],
        strict=True,
    ):  # fmt: skip
        assert expected in reason


def test_byte_order_marks(tmp_path: Path) -> None:
    (tmp_path / "utf8.jsonl").write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    (tmp_path / "utf8.json").write_bytes(b"\xef\xbb\xbf[" + GOOD.encode() + b"]")
    (tmp_path / "utf16.jsonl").write_bytes(GOOD.encode("utf-16"))
    (tmp_path / "utf16.json").write_bytes(f"[{GOOD}]".encode("utf-16"))
    assert reasons(tmp_path, "utf8.jsonl") == (2, [])
    assert reasons(tmp_path, "utf8.json") == (2, [])
    for name in ("utf16.jsonl", "utf16.json"):
        assert reasons(tmp_path, name) == (0, [(f"{name}:1", "the file is UTF-16; save it as UTF-8")])


def test_records_beyond_the_limit_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_RECORD", 1000)
    (tmp_path / "a.jsonl").write_text(f"{GOOD}\n{'x' * 5000}\n{GOOD}\n")
    rows = list(read_file(tmp_path / "a.jsonl"))
    assert [type(row) for row in rows] == [Row, BadRecord, Row]
    (tmp_path / "b.json").write_text(f'[{GOOD},\n{{"question": "{"x" * 200_000}"}}, {GOOD}]')
    last = list(read_file(tmp_path / "b.json"))[-1]
    assert isinstance(last, BadRecord)
    assert last.where == "b.json:2"


@pytest.mark.parametrize("damage", ["", "}", "nonsense", '{"question": 1', '{"a": 1} {"b": 2}'])
def test_a_broken_json_list_is_read_up_to_the_damage(tmp_path: Path, damage: str) -> None:
    (tmp_path / "a.json").write_text(f"[\n{GOOD},\n{GOOD.replace('1+1', '2+2')},\n{damage}")
    count, issues = reasons(tmp_path, "a.json")
    assert count == 4
    source, reason = issues[-1]
    assert source == "a.json:4"
    assert "cannot be read from here on" in reason


def test_bad_bytes_inside_a_json_list_cost_one_record(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(
        f"[{GOOD},\n".encode() + b'{"question": "caf\xe9"},\n' + f"{GOOD}]".encode()
    )
    count, issues = reasons(tmp_path, "a.json")
    assert (count, issues) == (4, [("a.json:2 (record 2)", "not valid UTF-8")])


def test_characters_cut_by_a_chunk_survive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_CHUNK", 5)
    text = "aé€𝄞" * 50
    (tmp_path / "a.json").write_text(
        json.dumps([{"t": text}, {"t": 12345678901234567890}], ensure_ascii=False)
    )
    rows = [row.data["t"] for row in read_file(tmp_path / "a.json") if isinstance(row, Row)]
    assert rows == [text, 12345678901234567890]


@given(
    st.lists(
        st.dictionaries(
            st.text(max_size=5),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.text(max_size=20),
                lambda inner: (
                    st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
                ),
                max_leaves=5,
            ),
            max_size=4,
        ),
        max_size=6,
    ),
    st.sampled_from([None, 1, 4]),
    st.booleans(),
    st.integers(1, 40),
)
@settings(max_examples=60, deadline=None)
def test_json_lists_are_read_as_json_reads_them(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[dict],
    indent: int | None,
    ascii_only: bool,
    chunk: int,
) -> None:
    path = tmp_path_factory.mktemp("json") / "a.json"
    path.write_text(json.dumps(records, indent=indent, ensure_ascii=ascii_only), encoding="utf-8")
    before, files._CHUNK = files._CHUNK, chunk
    try:
        assert [row.data for row in read_file(path) if isinstance(row, Row)] == records
    finally:
        files._CHUNK = before


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_no_bytes_make_a_reader_crash(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    for name in ("a.jsonl", "a.json", "a.csv", "a.tsv", "a.parquet", "a.arrow", "a.jsonl.gz"):
        (folder / name).write_bytes(content)
        try:
            list(read_file(folder / name))
        except SeedError:
            assert name.endswith(".gz")


def test_one_dataset_in_every_format(tmp_path: Path) -> None:
    records = [{"question": f"{n}+1?", "answer": f"So\n#### {n + 1}"} for n in range(5)]
    write_lines(tmp_path / "a.jsonl", records)
    (tmp_path / "b.json").write_text(json.dumps(records))
    (tmp_path / "c.json").write_text(json.dumps({f"id{n}": record for n, record in enumerate(records)}))
    pq.write_table(pa.Table.from_pylist(records), tmp_path / "d.parquet")
    with (
        pa.OSFile(str(tmp_path / "e.arrow"), "wb") as sink,
        pa.ipc.new_stream(sink, pa.Table.from_pylist(records).schema) as writer,
    ):
        writer.write_table(pa.Table.from_pylist(records))
    with gzip.open(tmp_path / "f.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)
    (tmp_path / "g.csv").write_text(
        "question,answer\n" + "".join(f'{r["question"]},"{r["answer"]}"\n' for r in records)
    )
    expected = [record["question"] for record in records for _ in range(2)]
    for name in ("a.jsonl", "b.json", "c.json", "d.parquet", "e.arrow", "f.jsonl.gz", "g.csv"):
        instructions, issues = load(SeedConfig(dataset="gsm8k", path=name), tmp_path)
        assert (name, [i.question for i in instructions], issues) == (name, expected, [])


def test_tables_with_uneven_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('question,answer\n"1+1?","#### 2"\n"only one"\n"a","b","c"\n')
    count, issues = reasons(tmp_path, "a.csv")
    assert count == 2
    assert issues == [
        ("a.csv:3", "1 cells where the header has 2"),
        ("a.csv:4", "3 cells where the header has 2"),
    ]


def test_what_cannot_be_read_at_all_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(GOOD.encode() * 100)[:40])
    for path, words in [
        ("nowhere/x.jsonl", "no such file or folder"),
        ("empty", "holds no data file"),
        ("a.pdf", "no reader for '.pdf' files"),
        ("cut.jsonl.gz", "Cannot read"),
    ]:
        with pytest.raises(SeedError, match=words):
            load(SeedConfig(dataset="gsm8k", path=path), tmp_path)


def test_wrong_settings_are_config_errors(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", [json.loads(GOOD)])
    for fields, words in [
        ({"dataset": "gsm9k"}, "no dataset 'gsm9k'"),
        ({"dataset": "gsm8k", "tasks": ("Logic",)}, "not Logic"),
        ({"dataset": "gsm8k", "options": {"typo": 1}}, "no option typo"),
        ({"dataset": "generic"}, "needs name, tasks, mapping, grader"),
    ]:
        seed = SeedConfig.model_validate({"path": "a.jsonl", **fields})
        with pytest.raises(ConfigError, match=words):
            load(seed, tmp_path)


def test_folders_and_globs_are_read_in_natural_order(tmp_path: Path) -> None:
    for name in ("part-10", "part-2", "sub/part-1"):
        path = tmp_path / "seeds" / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_lines(path, [{"question": name, "answer": "#### 1"}])
    for path, expected in [
        ("seeds", ["part-2", "part-10", "sub/part-1"]),
        ("seeds/part-*.jsonl", ["part-2", "part-10"]),
        (str(tmp_path / "seeds" / "*.jsonl"), ["part-2", "part-10"]),
    ]:
        instructions, _ = load(SeedConfig(dataset="gsm8k", path=path, tasks=("Math_CoT",)), tmp_path)
        assert [i.question for i in instructions] == expected
    (tmp_path / "seeds" / "part-2.jsonl").write_text("{\n")
    _, issues = load(SeedConfig(dataset="gsm8k", path="seeds/part-*.jsonl"), tmp_path)
    assert issues[0].source == "seeds/part-2.jsonl:1"


def test_limit_counts_usable_instructions_of_each_task(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("bad\n" + "\n".join(GOOD.replace("1+1", f"1+{n}") for n in range(9)))
    instructions, issues = load(SeedConfig(dataset="gsm8k", path="a.jsonl", limit=3), tmp_path)
    assert [i.task for i in instructions] == ["Math_CoT", "Math_PoT"] * 3
    assert len(issues) == 1


def test_generic_mapping_reaches_into_objects(tmp_path: Path) -> None:
    write_lines(
        tmp_path / "a.jsonl",
        [
            {"q": {"text": "Which?"}, "options": ["x", "y"], "label": 1, "why": ["because"], "key": "k1"},
            {"q": {"text": "Which?"}, "options": ["x", "y"], "label": "x", "key": "k2"},
            {"q": {"text": "Which?"}, "options": ["x", "y"], "label": 7, "key": "k3"},
            {"q": {}, "options": ["x", "y"], "label": 0, "key": "k4"},
        ],
    )
    mapping = FieldMapping(
        question="q.text", gold="label", choices="options", rationale="why", source_id="key"
    )
    seed = SeedConfig(
        dataset="generic", path="a.jsonl", name="mine", tasks=("Logic",), grader="choice", mapping=mapping,
        prompt="Choose.\n{question}\n{choices}", licence="CC0-1.0",
    )  # fmt: skip
    (first, second), issues = load(seed, tmp_path)
    assert (first.gold, second.gold) == ("B", "A")
    assert first.prompt == "Choose.\nWhich?\nA. x\nB. y"
    assert (first.dataset, first.source, first.rationales) == ("mine", "mine/train/k1", ("because",))
    assert [issue.reason for issue in issues] == [
        "gold answer 'H' names none of 2 choices",
        "field 'q.text' is missing (there are: q, options, label, key)",
    ]


def test_a_bare_problem_is_asked_where_the_prompt_says_so(tmp_path: Path) -> None:
    """`{question}` written out is no default: a small model is confused by the published preamble."""
    write_lines(tmp_path / "a.jsonl", [{"q": "What is 2 + 3?", "a": "5"}])
    common = {
        "dataset": "generic", "path": "a.jsonl", "name": "m", "tasks": ("Math_CoT",), "grader": "math",
        "mapping": FieldMapping(question="q", gold="a"),
    }  # fmt: skip
    default, bare = SeedConfig(**common), SeedConfig(**common, prompt="{question}")
    (published,), _ = load(default, tmp_path)
    assert published.prompt.startswith("Solve the following math problem step-by-step.\n")
    (alone,), _ = load(bare, tmp_path)
    assert alone.prompt == "What is 2 + 3?"
    # What is stored and sent to worker processes says it in full; what was stored before there was `bare` means the default.
    assert SeedConfig.model_validate_json(bare.model_dump_json()) == bare
    assert SeedConfig.model_validate_json(default.model_dump_json()) == default
    old = {name: value for name, value in default.model_dump(mode="json").items() if name != "bare"}
    assert SeedConfig.model_validate(old, context=STORED) == default
    assert "bare" not in binding(default)


def test_generic_answers_follow_the_grader(tmp_path: Path) -> None:
    tests = {"inputs": ["1\n"], "outputs": ["2\n"]}
    for grader, task, record, gold, gold_set in [
        ("boolean", "Logic", {"a": 1}, "yes", ()),
        ("boolean", "Logic", {"a": "False"}, "no", ()),
        ("number", "Math_CoT", {"a": 2.0}, "2", ()),
        ("answer_set", "Coding", {"a": ["x", 3]}, None, ("x", "3")),
        ("tests", "Coding", {"t": tests}, None, ()),
        ("tests", "Coding", {"t": json.dumps(tests)}, None, ()),
    ]:
        write_lines(tmp_path / "a.jsonl", [{"q": "?", **record}])
        mapping = FieldMapping(
            question="q", gold="a" if "a" in record else None, tests="t" if "t" in record else None
        )
        seed = SeedConfig(
            dataset="generic", path="a.jsonl", name="m", tasks=(task,), grader=grader, mapping=mapping
        )
        (instruction,), issues = load(seed, tmp_path)
        assert (issues, instruction.gold, instruction.gold_set) == ([], gold, gold_set)
        assert (instruction.tests is not None) == (grader == "tests")
