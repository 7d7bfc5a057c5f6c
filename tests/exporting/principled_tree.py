"""A query answered under two constitutions, with its matrix."""

from __future__ import annotations

from ultrainteract.exporting.example import example_tree
from ultrainteract.judgments.trees import open_instruction
from ultrainteract.schema import Action, Constitution, Tree, Turn, Verdict


def principled_tree() -> Tree:
    node = example_tree().turns[0].correct
    assert node is not None
    children = tuple(
        node.model_copy(
            update={
                "action": Action(raw=text, reasoning_schema="cot", text=text),
                "verdict": Verdict.undetermined("unlabelled by design"),
                "constitution": Constitution(name=name, principles=(principle, "Be polite.")),
            }
        )
        for name, principle, text in (
            ("positive", "Be concise.", "Paris."),
            ("not-concise", "Be long-winded.", "That would be Paris, on the Seine."),
        )
    )
    turn = Turn(unlabelled=children, log_likelihood=((-1.0, -2.5), (-3.0, -1.25)))
    root = open_instruction("What is the capital of France?", grader="principle", dataset="questions")
    return Tree(instruction=root, turns=(turn,), ended="unlabelled")
