"""IFEval: for each instruction type a response that keeps it and one that does not, through the checkers that are used."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.evaluation.helpers import DATA

pytestmark = pytest.mark.benchmarks

SENTENCES = {"length_constraints:number_sentences", "change_case:capital_word_frequency"}
"""Types that need NLTK's sentence data."""
CASES: dict[str, tuple[dict[str, Any], str, str]] = {
    "keywords:existence": ({"keywords": ["river", "stone"]}, "A stone in the river.", "A stone in the lake."),
    "keywords:frequency": (
        {"keyword": "tea", "frequency": 2, "relation": "at least"}, "Tea, and more tea.", "Tea, and more coffee.",
    ),
    "keywords:forbidden_words": ({"forbidden_words": ["rain"]}, "The sun shines.", "Rain falls."),
    "keywords:letter_frequency": (
        {"letter": "z", "let_frequency": 2, "let_relation": "at least"}, "A buzzing bee.", "A bee.",
    ),
    "language:response_language": (
        {"language": "de"}, "Das Wetter ist heute schön, und wir gehen im Wald spazieren.",
        "The weather is fine today, and we take a walk in the woods.",
    ),
    "length_constraints:number_sentences": (
        {"num_sentences": 2, "relation": "at least"}, "It is late. We go home.", "It is late",
    ),
    "length_constraints:number_paragraphs": ({"num_paragraphs": 2}, "One.\n***\nTwo.", "One."),
    "length_constraints:number_words": ({"num_words": 4, "relation": "at least"}, "Here are four words.", "Two words."),
    "length_constraints:nth_paragraph_first_word": (
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "then"}, "First this.\n\nThen that.", "First this.\n\nNow that.",
    ),
    "detectable_content:number_placeholders": ({"num_placeholders": 2}, "Dear [name], at [place].", "Dear [name]."),
    "detectable_content:postscript": ({"postscript_marker": "P.S."}, "Bye.\nP.S. Write soon.", "Bye."),
    "detectable_format:number_bullet_lists": ({"num_bullets": 2}, "* one\n* two", "* one"),
    "detectable_format:constrained_response": ({}, "My answer is yes.", "Certainly."),
    "detectable_format:number_highlighted_sections": ({"num_highlights": 1}, "This is *it*.", "This is it."),
    "detectable_format:multiple_sections": (
        {"section_spliter": "Section", "num_sections": 2}, "Section 1\nA.\nSection 2\nB.", "Section 1\nA.",
    ),
    "detectable_format:json_format": ({}, '{"a": 1}', "a is 1"),
    "detectable_format:title": ({}, "<<A day>>\nIt began.", "A day\nIt began."),
    "combination:two_responses": ({}, "Go north.\n******\nGo south.", "Go north."),
    "combination:repeat_prompt": ({"prompt_to_repeat": "Say why."}, "Say why. Because.", "Because."),
    "startend:end_checker": ({"end_phrase": "That is all."}, "We met. That is all.", "That is all. We met."),
    "startend:quotation": ({}, '"All of it."', "All of it."),
    "change_case:capital_word_frequency": (
        {"capital_frequency": 1, "capital_relation": "at least"}, "STOP there.", "Stop there.",
    ),
    "change_case:english_capital": ({}, "THIS IS ALL WRITTEN IN CAPITAL LETTERS.", "This is not."),
    "change_case:english_lowercase": ({}, "this is all written in small letters.", "This is Not."),
    "punctuation:no_comma": ({}, "No pause here.", "A pause, here."),
}  # fmt: skip


def wanted(name: str, kwargs: dict[str, Any]) -> dict[str, Any]:
    return {"prompt": "Say why.", "instructions": [{"id": name, "kwargs": kwargs}]}


def test_every_type_of_the_benchmark_has_a_case() -> None:
    rows = [json.loads(line) for line in (DATA / "ifeval.jsonl").read_text().splitlines()]
    assert {name for row in rows for name in row["instruction_id_list"]} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_a_kept_and_a_broken_response(name: str) -> None:
    import nltk

    from ultrainteract.grading.instructions import MISSING, followed

    kwargs, kept, broken = CASES[name]
    if name in SENTENCES:
        try:
            nltk.data.find("tokenizers/punkt_tab")
        except LookupError:
            with pytest.raises(LookupError) as error:
                followed(wanted(name, kwargs), kept)
            assert str(error.value) == MISSING
            return
    assert followed(wanted(name, kwargs), kept) == ([True], [True])
    assert followed(wanted(name, kwargs), broken) == ([False], [False])


def test_a_loose_reading_forgives_a_first_line() -> None:
    from ultrainteract.grading.instructions import followed

    loose, strict = followed(wanted("detectable_format:json_format", {}), 'Here you are:\n{"a": 1}')
    assert (loose, strict) == ([True], [False])
