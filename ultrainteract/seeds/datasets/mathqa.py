"""MathQA: word problems with five choices and an annotated formula."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ultrainteract.config import SeedConfig
from ultrainteract.errors import ConfigError
from ultrainteract.readers.rows import Row, Unusable, read_nested
from ultrainteract.seeds.formulas import formula_program
from ultrainteract.seeds.problem import Problem
from ultrainteract.seeds.registry import dataset
from ultrainteract.wording import with_choices

_SAYS_LETTER = re.compile(
    r"""
    [\s.,;(]*
    (?:\b(?:so|hence|thus|therefore|and|the|final|correct|required|is|will|be|only)\b[\s,]*|[a-e]\s+(?=is\s))*
    \b(?:answer|ans|option|choice)s?\b
    (?:[\s:=.!(-]*\b(?:is|will|be|option|choice|answer)\b)*
    [\s:=.!(-]*(?:[a-e]\b)?[\s.)"]*
    $
    """,
    re.IGNORECASE | re.VERBOSE,
)
_NEEDS_CHOICES = re.compile(
    r"\b(?:of the following|following (?:is|are|must|can|could)|except|answer choices?)\b"
)


@dataset("mathqa", tasks=("Math_CoT", "Math_PoT"), licence="Apache-2.0", options=("choices",))
def load(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """MathQA: Problem, Rationale, options, correct, formulas. Option `choices: auto|always|never`."""
    question, options = row.text("Problem"), split_options(row.text("options"))
    letter = row.text("correct").upper()
    if len(letter) != 1 or not 0 <= ord(letter) - 65 < len(options):
        raise Unusable(f"'{letter}' names none of the {len(options)} choices")
    show = seed.options.get("choices", "auto")
    if show not in ("auto", "always", "never"):
        raise ConfigError(f"mathqa: option choices is auto, always or never, not '{show}'.")
    shown = show == "always" or (show == "auto" and _NEEDS_CHOICES.search(question) is not None)
    formula, pattern = row.optional_text("annotated_formula"), row.optional_text("linear_formula")
    program = formula_program(formula, options[ord(letter) - 65]) if formula else None
    category = row.optional_text("category")
    yield Problem(
        question=question,
        body=with_choices(question, options) if shown else question,
        grader="choice",
        gold=letter,
        choices=options,
        rationales=(rationale(row.optional_text("Rationale") or ""),),
        solutions=(program,) if program else (),
        simplify=False,
        tags=(category or "", f"formula:{pattern or ''}"),
    )


def split_options(text: str) -> tuple[str, ...]:
    """The choices of `a ) 24 , b ) 120 , …`, or of the same written as a list."""
    if text.startswith("["):
        items = read_nested(text, "options")
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise Unusable("field 'options' is no list of texts")
        text = " , ".join(items)
    starts = []
    position = 0
    for letter in "abcde":
        found = re.compile(rf"(?:^|,)\s*{letter}\s*\)").search(text, position)
        if found is None:
            break
        starts.append((found.start(), found.end()))
        position = found.end()
    if len(starts) < 2:
        raise Unusable(f"field 'options' cannot be split into choices: {text[:60]}")
    ends = [start for start, _ in starts[1:]] + [len(text)]
    texts = (text[start:end].strip(" ,") for (_, start), end in zip(starts, ends, strict=True))
    return tuple(  # some records write each letter twice: `a ) a ) 10`
        re.sub(rf"^{letter}\s*\)\s*(?=\S)", "", choice)
        for letter, choice in zip("abcde", texts, strict=False)
    )


def rationale(text: str) -> str:
    """The rationale without its quotes and without the last words that name the letter of the choice."""
    return _SAYS_LETTER.sub("", text.strip().strip('"').strip()).strip()
