"""Decontamination: exact against a plain loop, by task, whole short items, substrings, and formats of benchmarks."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ultrainteract.errors import SeedError
from ultrainteract.schema import Instruction, Task
from ultrainteract.seeds.selection import ngrams
from ultrainteract.seeds.selection.benchmarks import TestItem, read_benchmark, statement
from ultrainteract.seeds.selection.decontaminate import Decontaminator
from ultrainteract.seeds.selection.ngrams import NGramIndex, normalise

MATH = (Task.MATH_COT, Task.MATH_POT)


def instruction(question: str, task: Task = Task.MATH_COT) -> Instruction:
    return Instruction(task=task, dataset="d", prompt=question, question=question, grader="math", gold="1")


def item(text: str, tasks: tuple[Task, ...] = MATH, match: str = "ngram", key: str = "1") -> TestItem:
    return TestItem("bench", key, text, tasks, match)  # type: ignore[arg-type]


def plain(items: list[str], texts: list[str], n: int) -> list[bool]:
    """The definition, word for word."""

    def split(text: str) -> list[str]:
        return re.sub(r"([日本かなกา])", r" \1 ", re.sub(r"[\W_]+", " ", text.lower())).split()

    def grams(words: list[str]) -> set[tuple[str, ...]]:
        """From each word on as many as count for n."""
        found = set()
        for start in range(len(words)):
            count = Fraction(0)
            for end in range(start, len(words)):
                count += SHARES.get(words[end], Fraction(1))
                if count >= n:
                    found.add(tuple(words[start : end + 1]))
                    break
        return found

    known = [split(text) for text in items]
    every = set().union(*map(grams, known))
    whole = {tuple(words) for words in known if words and not grams(words)}
    return [tuple(split(text)) in whole or not every.isdisjoint(grams(split(text))) for text in texts]


SHARES = dict.fromkeys("かな", Fraction(1, 2)) | dict.fromkeys("กา", Fraction(1, 3))
WORDS = st.lists(
    st.sampled_from(["a", "B", "c3", "Zoë", "x_y", "$5,000", "—", "日本", "かなか", "กากกา", "\n"]),
    max_size=14,
).map(" ".join)


@given(st.lists(WORDS, max_size=8), st.lists(WORDS, max_size=8), st.integers(1, 6))
@settings(max_examples=100, deadline=None)
def test_the_index_agrees_with_the_definition(items: list[str], texts: list[str], n: int) -> None:
    shared = {match.text for match in NGramIndex(items, n).shared(texts)}
    assert [number in shared for number in range(len(texts))] == plain(items, texts, n)


def test_long_texts_are_cut_into_pieces_without_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ngrams, "_ROOM", 256)
    rng = Random(1)
    words = [f"w{n}" for n in range(60)]
    texts = [" ".join(rng.choices(words, k=rng.choice((0, 3, 30, 300)))) for _ in range(120)]
    items = [" ".join(text.split()[5:17]) for text in texts[::9]]
    shared = {match.text for match in NGramIndex(items, 8).shared(texts)}
    assert [number in shared for number in range(len(texts))] == plain(items, texts, 8)


def test_normalisation() -> None:
    assert normalise("The  cost_is $1,200.50—OK?") == b"the cost is 1 200 50 ok"
    assert normalise("ÉTÉ_x") == "été x".encode()
    assert normalise(" \n\t ") == b""


def test_the_report_names_item_and_words() -> None:
    (match,) = Decontaminator([item("one two three four five six seven eight nine", key="k7")]).check(
        [instruction("And then: Two, three, four, five, six, seven, eight, NINE!")]
    )
    assert match is not None
    assert (match.test_id, match.match, match.text) == (
        "bench/k7", "ngram", "two three four five six seven eight nine",
    )  # fmt: skip


def test_seven_shared_words_are_no_contamination() -> None:
    decontaminator = Decontaminator([item("one two three four five six seven ZZ and more words follow")])
    assert decontaminator.check([instruction("one two three four five six seven AA")]) == [None]


def test_scripts_without_spaces_need_as_much_text_as_others() -> None:
    """A stock phrase of a few characters is shared by problems that have nothing else in common; half a sentence is not."""
    for item_text, phrase, copied in (
        (
            "เป็ดของเจเน็ตวางไข่วันละสิบหกฟองเธอกินไข่สามฟองเป็นมื้อเช้า",
            "ใครๆก็วางไข่วันละสองฟอง",
            "ถาม: เจเน็ตวางไข่วันละสิบหกฟองเธอกินไข่กี่ฟอง",
        ),
        (
            "ジャネットのアヒルはたまごをいちにちにじゅうろくこうみます",
            "ぼくのアヒルはたまごをうまない",
            "もしアヒルはたまごをいちにちにじゅうろくこなら",
        ),
    ):
        assert not NGramIndex([item_text], 8).shared([phrase])
        assert NGramIndex([item_text], 8).shared([copied])


def test_only_benchmarks_of_the_task_count() -> None:
    text = "sort the list of numbers in place and print every second one"
    decontaminator = Decontaminator(
        [item(text, (Task.CODING,)), item("x " + text, (Task.MATH_POT,), key="2")]
    )
    found = decontaminator.check([instruction(text, task) for task in Task])
    by_task = dict(zip(Task, found, strict=True))
    assert by_task[Task.CODING] is not None
    assert by_task[Task.MATH_POT] is not None
    assert (by_task[Task.CODING].test_id, by_task[Task.MATH_POT].test_id) == ("bench/1", "bench/2")
    assert by_task[Task.MATH_COT] is None
    assert by_task[Task.LOGIC] is None


def test_a_short_item_must_be_equal_as_a_whole() -> None:
    decontaminator = Decontaminator([item("Compute $1+1$.")])
    (equal, longer) = decontaminator.check([instruction("compute 1 + 1"), instruction("Compute 1+1 twice")])
    assert equal is not None
    assert equal.match == "whole"
    assert longer is None


def test_substring_items_must_be_contained_whole() -> None:
    text = "given a string word return the least number of pushes needed to type it on the keypad"
    decontaminator = Decontaminator([item(text, (Task.CODING,), "substring")])
    inside, part = decontaminator.check(
        [
            instruction(f"Task: {text.upper()}. Input follows.", Task.CODING),
            instruction(text.removesuffix(" keypad"), Task.CODING),
        ]
    )
    assert inside is not None
    assert inside.match == "substring"
    assert part is None


def test_near_duplicates_are_an_option() -> None:
    words = [f"word{n}" for n in range(120)]
    text = " ".join(words)
    # A change in every seventh word leaves no 8-gram in common, but most of the vocabulary.
    changed = " ".join(w if n % 7 else w + "x" for n, w in enumerate(words))
    assert Decontaminator([item(text)]).check([instruction(changed)]) == [None]
    (match,) = Decontaminator([item(text)], near=0.2).check([instruction(changed)])
    assert match is not None
    assert match.match == "near"


def test_leetcode_statements_end_before_their_examples() -> None:
    prompt = (
        '"""\nYou are given a string word.\nReturn the cost.\n \nExample 1:\n\nInput: x\n"""\nclass Solution:'
    )
    assert statement(prompt) == "You are given a string word.\nReturn the cost."


def test_benchmarks_are_recognised_by_their_path(tmp_path: Path) -> None:
    def write(path: str, content: str) -> None:
        (tmp_path / "bench" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "bench" / path).write_text(content)

    write(
        "humaneval/HumanEval.jsonl", json.dumps({"task_id": "HumanEval/0", "prompt": "def f(): ..."}) + "\n"
    )
    write(
        "leetcode/leetcode-test.json", json.dumps({"task_id": "w-1", "prompt": "Do it.\nExample 1: x"}) + "\n"
    )
    write("svamp/SVAMP.json", json.dumps([{"ID": "chal-1", "Body": "He has 3.", "Question": "How many?"}]))
    write("asdiv/asdiv.json", json.dumps({"Source": "s", "Instances": [{"Input": "He stops."}]}, indent=1))
    write(
        "bbh/snarks.json", json.dumps({"canary": "c", "examples": [{"input": "Which?", "target": "A"}] * 2})
    )
    write(
        "mint/gsm8k/test_prompts.json", json.dumps({"id": 0, "prompt": "She hikes.", "reference": "6"}) + "\n"
    )
    write(
        "own.jsonl", json.dumps({"stem": "Unusual column"}) + "\n" + json.dumps({"question": "Usual"}) + "\n"
    )
    write("notes.txt", "not data")
    items = {i.id: i for i in read_benchmark("bench", tmp_path)}
    assert {key: (i.text, i.tasks, i.match) for key, i in items.items()} == {
        "bench/humaneval/HumanEval/HumanEval/0": ("def f(): ...", (Task.CODING,), "ngram"),
        "bench/leetcode/leetcode-test/w-1": ("Do it.", (Task.CODING,), "substring"),
        "bench/svamp/SVAMP/chal-1": ("He has 3. How many?", MATH, "ngram"),
        "bench/asdiv/asdiv/0": ("He stops.", MATH, "ngram"),
        "bench/bbh/snarks/0": ("Which?", (Task.LOGIC,), "ngram"),
        "bench/bbh/snarks/1": ("Which?", (Task.LOGIC,), "ngram"),
        "bench/mint/gsm8k/test_prompts/0": ("She hikes.", MATH, "ngram"),
        "bench/own/2": ("Usual", tuple(Task), "ngram"),
    }


def test_a_benchmark_without_problems_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "own.jsonl").write_text('{"stem": "x"}\n')
    with pytest.raises(SeedError, match="name its columns in `fields`"):
        list(read_benchmark("own.jsonl", tmp_path))
