"""Simulated reasoning in words: reading questions with choices, yes-no questions over facts, short answers."""

from __future__ import annotations

import re
from random import Random

from ultrainteract.models.simulated.format import (
    compose,
    names_in,
    other_names,
    question_of,
    restated,
    sentences,
)
from ultrainteract.models.simulated.math import bend
from ultrainteract.schema import Instruction


class Reading:
    """What is known of one Logic instruction, read once.

    Args:
        instruction: A Logic instruction.
    """

    def __init__(self, instruction: Instruction) -> None:
        self.question = instruction.question
        self.choices = instruction.choices
        self.gold = instruction.gold or ", ".join(instruction.gold_set)
        self.searches = "wikipedia_search" in instruction.tools
        facts = instruction.rationales[0].splitlines() if instruction.rationales else []
        self.facts = tuple(fact.strip() for fact in facts if fact.strip())
        self.asked = question_of(self.question)
        self.premises = tuple(s for s in sentences(self.question) if s != self.asked)[:4]
        self.subjects = names_in(self.question)


def solve_reading(known: Reading, rng: Random, right: bool) -> str:
    """A tool-free answer with its steps."""
    if known.choices and re.fullmatch(r"[A-Za-z]", known.gold):
        return _by_choice(known, rng, right)
    answer = known.gold if right else _other_answer(known, rng)
    steps = [restated(known.asked, rng)]
    facts = list(known.facts)
    if not right and len(facts) > 1:
        facts.pop(rng.randrange(len(facts)))
    elif not facts:
        facts = [f"The question turns on what is known of {subject}." for subject in known.subjects[:2]]
    steps += [fact if fact.endswith((".", "!", "?")) else f"{fact}." for fact in facts]
    link = ("Taken together, these facts settle the question", "Putting this together decides it") if right else (
        "That is enough to decide the question", "From this alone the conclusion can be drawn"
    )  # fmt: skip
    steps.append(f"{rng.choice(link)}: {answer}.")
    return compose(steps, answer=answer)


def _by_choice(known: Reading, rng: Random, right: bool) -> str:
    gold = ord(known.gold.upper()) - ord("A")
    others = [index for index in range(len(known.choices)) if index != gold]
    picked = gold if right else rng.choice(others)
    rest = [index for index in others if index != picked]
    steps = [restated(known.asked, rng)]
    if known.premises:
        steps.append(f"What the text establishes: {rng.choice(known.premises)}")
    for index in sorted(rng.sample(rest, min(2, len(rest)))):
        why = rng.choice(
            (
                "goes beyond what the text says",
                "may be true, but does not bear on the point",
                "gets the direction of the argument wrong",
            )
        )
        steps.append(f'Choice {chr(65 + index)} {why}: "{_short(known.choices[index])}"')
    reason = rng.choice(
        ("connects the premises with the conclusion", "is what the argument depends on", "fits what is asked")
    )
    steps.append(f'Choice {chr(65 + picked)} {reason}: "{_short(known.choices[picked])}"')
    return compose(steps, answer=chr(65 + picked))


def _other_answer(known: Reading, rng: Random) -> str:
    gold = known.gold.strip().lower()
    if gold in ("yes", "no"):
        return "no" if gold == "yes" else "yes"
    others = other_names(known.subjects, known.gold)
    if re.search(r"\d", gold) or not others:
        return bend(known.gold, rng)
    return rng.choice(others)


def search_first(known: Reading, rng: Random) -> str:
    """A message that looks something up before it answers."""
    subject = rng.choice(known.subjects) if known.subjects else known.asked
    code = f"# Step 2: Look up what is known of it.\nprint(wikipedia_search({subject!r}))"
    return compose([f"The question turns on {subject}, so I look it up first."], code)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 120 else text[:117] + "..."
