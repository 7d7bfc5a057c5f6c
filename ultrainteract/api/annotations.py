"""Annotators under conditions: plans, a model that answers them, and what their answers are worth."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ultrainteract.api.judgments import read_rows, read_votes, refuse_loss, write_trees
from ultrainteract.errors import DataError, StoreError
from ultrainteract.store.files import write_lines

if TYPE_CHECKING:
    from ultrainteract.config import RunConfig
    from ultrainteract.judgments.annotators.measures import Question


def plan_annotation(
    *files: str | Path,
    output: str | Path,
    columns: Mapping[str, str] | None = None,
    repeats: int = 4,
    wordings: int = 2,
    scales: Sequence[str] = ("pairwise",),
    annotator: str | None = None,
    seed: int = 0,
    force: bool = False,
) -> dict[str, Any]:
    """Writes the questions that tell genuine preferences from made-up ones (see docs/annotate.md).

    Args:
        files: Files of items: `prompt`, `response_a`, `response_b`, and perhaps `label`, the better answer.
        output: JSONL file to write; whoever answers fills in `answer`.
        columns: Columns by these names, for a layout of your own.
        repeats: Repetitions per condition.
        wordings: Wordings per scale, 1 to 3.
        scales: `pairwise`, `rating`, or both.
        annotator: Who answers.
        seed: Seed of the order.
        force: Overwrite a file that holds answers, or no plan.

    Returns:
        Items and duplicates of them, questions, and how simulated annotators would be classified by such a plan.

    Raises:
        ConfigError: A column, a scale or a number of wordings is unknown.
        DataError: A file cannot be read, or two items have one id.
        StoreError: The file cannot be written, or holds answers that would be lost.
    """
    from ultrainteract.judgments.annotators.plan import planned, read_items
    from ultrainteract.judgments.annotators.simulation import confusion
    from ultrainteract.judgments.reading import refuse_empty

    read = list(read_items((row for file in files for row in read_rows(file)), columns))
    refuse_empty(files, read)
    items = list({item.id: item for item in read}.values())
    questions = planned(
        items, repeats=repeats, wordings=wordings, scales=scales, annotator=annotator, seed=seed
    )
    _keep_answers(Path(output), (), force)
    _write_questions(Path(output), questions)
    own = [question for question in questions if question.item == items[0]]
    found = confusion(own, seed=seed)
    return {
        "items": len(items), "duplicates": len(read) - len(items), "questions": len(questions), "per_item": len(own),
        "simulated": {name: dict(sorted(counts.items())) for name, counts in found.items()},
    }  # fmt: skip


def run_annotation(
    plan: str | Path, config: RunConfig, model: str, output: str | Path, *, force: bool = False
) -> dict[str, Any]:
    """Has a model answer a plan; what was answered before is not asked again.

    Args:
        plan: The plan.
        config: A configuration with the model.
        model: Its name there.
        output: Folder for the replies' record and `answers.jsonl`.
        force: Overwrite the answers of another annotator, or to questions that the plan has no longer.

    Returns:
        Questions, answers, and answers that can be read.

    Raises:
        ConfigError: There is no such model.
        DataError: The plan cannot be read.
        ProviderError, BudgetExceeded: No further request can be sent.
        StoreError: The folder cannot be written, belongs to another configuration, or holds answers that would be lost.
    """
    from ultrainteract.api.models import with_model
    from ultrainteract.judgments.annotators.asking import annotator_name, ask_model
    from ultrainteract.judgments.annotators.measures import read_questions

    file = Path(output) / "answers.jsonl"
    name = annotator_name(config, model) if model in config.models else model
    blank = {"annotator": name, "answer": None}  # whoever else has answered the plan
    questions = {
        one.key: one for one in (q.model_copy(update=blank) for q in read_questions(read_rows(plan)))
    }
    _keep_answers(file, questions, force)
    answered = with_model(
        config,
        model,
        lambda built: ask_model(list(questions.values()), config, model, {model: built}, Path(output)),
    )
    _write_questions(file, answered)
    return {
        "questions": len(answered), "answers": sum(question.answer is not None for question in answered),
        "read": sum(question.verdict is not None for question in answered), "file": str(file),
    }  # fmt: skip


def classify_annotations(
    *files: str | Path,
    output: str | Path | None = None,
    columns: Mapping[str, str] | None = None,
    dataset: str = "annotations",
    license: str | None = None,
) -> dict[str, Any]:
    """Tells genuine preferences from constructed ones and non-attitudes, and makes pairs of the genuine ones.

    Args:
        files: Answered plans, or files of votes with judges and texts (see `rate_votes`).
        output: Folder for the trees, `constructed.jsonl` and `annotations.json`; nothing is written if None.
        columns: For votes in a layout of your own.
        dataset: Name of the dataset on the trees.
        license: License of the texts.

    Returns:
        The report as plain JSON; items = pairs + refused; records read = measures + duplicates (rows of a
        plan that say the same) + unreadable + passed over (votes without a judge or texts).

    Raises:
        ConfigError: `columns` names an unknown field.
        DataError: A file cannot be read, or answers contradict each other (see `judgments.annotators.measures`).
        StoreError: The folder cannot be written.
    """
    from ultrainteract.judgments.annotators.measures import measures_of_votes, read_questions, why_no_measure
    from ultrainteract.judgments.annotators.report import classified, constructed_rows, couples, figures
    from ultrainteract.judgments.reading import Reading, refuse_empty
    from ultrainteract.judgments.votes.report import split

    plans: list[str | Path] = []
    votes: list[str | Path] = []
    for file in files:
        first = next(read_rows(file), None)
        planned = {"item", "order", "wording", "scale"} <= set(getattr(first, "data", ()))
        (plans if planned else votes).append(file)
    rows = [row for file in plans for row in read_rows(file)]
    answers = read_questions(rows)
    battles, bad = split(read_votes(votes, columns))
    voted = list(measures_of_votes(battles))
    measures = answers + voted
    refuse_empty(files, [*rows, *battles, *bad])
    passed = [(vote.where, why) for vote in battles if (why := why_no_measure(vote)) is not None]
    reading = Reading(len(rows) + len(voted), bad, passed)
    if not measures:
        raise reading.nothing_left("There is no answer of an annotator to two texts.")
    found = classified(measures)
    trees, refused = couples(found, dataset, license)
    made = sum(1 for _ in trees)
    pairs = sum(len(one) for _, one in trees.couples.values()) - trees.refused.total()
    report = figures(found) | {
        "duplicates": len(rows) - len(answers), "unreadable": len(bad), "passed_over": len(passed),
        "reasons": reading.reasons(),
        "trees": made, "pairs": pairs, "refused": dict(sorted((refused + trees.refused).items())),
        "constructed": sum(finding.kind == "constructed" for finding in found.findings.values()),
    }  # fmt: skip
    if output is not None:
        folder = Path(output)
        if made or (folder / "trees").exists():
            write_trees(trees, folder, dataset, [str(file) for file in files])
        write_lines(map(json.dumps, constructed_rows(found)), folder / "constructed.jsonl")
        write_lines([json.dumps(report, indent=2)], folder / "annotations.json")
    return report


def _keep_answers(file: Path, asked: Collection[tuple[object, ...]], force: bool) -> None:
    """Refuses to overwrite a plan whose answers would be lost.

    Args:
        file: The file to be written.
        asked: The measures (`Question.key`) that it is to hold the answers to.
        force: Whether it is overwritten all the same.

    Raises:
        StoreError: Answers would be lost, or the file is no plan.
    """
    from ultrainteract.judgments.annotators.measures import read_questions

    if force or not file.exists():
        return
    try:
        held = read_questions(read_rows(file))
    except DataError as error:
        raise StoreError(
            f"{file} is there already and is no plan ({error}) Choose another name, or --force."
        ) from error
    lost = [one for one in held if one.answer is not None and one.key not in asked]
    refuse_loss(file, [one.annotator or "an annotator without a name" for one in lost])


def _write_questions(file: Path, questions: Sequence[Question]) -> None:
    write_lines((json.dumps(question.model_dump(mode="json")) for question in questions), file)
