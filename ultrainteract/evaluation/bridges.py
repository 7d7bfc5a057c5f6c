"""Samples in the layouts that other tools read, and failures as rows for the next build."""

from __future__ import annotations

import re
from collections.abc import Iterator

import orjson

from ultrainteract.errors import ConfigError
from ultrainteract.evaluation.outcomes import Outcome, outcome_of
from ultrainteract.schema import EvaluatedItem, Rollout
from ultrainteract.seeds.registry import find_dataset

_EVALPLUS = {"humaneval": "HumanEval/{}", "mbpp": "Mbpp/{}"}
LAYOUTS = ("evalplus", "lm-eval", "rewardbench")
"""Layouts that samples can be written in."""


def rows(items: Iterator[EvaluatedItem], layout: str) -> Iterator[str]:
    """The samples of an evaluation as lines of JSON.

    `evalplus`: `task_id` and `solution`, for `evalplus.evaluate --samples`; items of HumanEval and MBPP alone.
    `lm-eval`: what `lm_eval --log_samples` writes: `doc_id`, `doc`, `target`, `resps`, `filtered_resps`.
    `rewardbench`: `prompt`, `chosen`, `rejected` (whole conversations), `subset`: a right against a wrong answer to the
    same item.

    Args:
        items: The items of an evaluation.
        layout: One of `LAYOUTS`.

    Raises:
        ConfigError: The layout is unknown.
    """
    makers = {"evalplus": _evalplus, "lm-eval": _lm_eval, "rewardbench": _rewardbench}
    if layout not in makers:
        raise ConfigError(f"There is no layout '{layout}'; there are: {', '.join(LAYOUTS)}.")
    for number, item in enumerate(items):
        for row in makers[layout](item, number):
            yield orjson.dumps(row).decode()


def failures(items: Iterator[EvaluatedItem]) -> Iterator[str]:
    """The instructions that no attempt solved, as lines of JSON for the dataset `from_eval`."""
    for item in items:
        if item.rollouts and not any(rollout.solved_at for rollout in item.rollouts):
            split = item.instruction.source.split("/")[1:2]
            test = find_test(item.instruction.dataset) or split in (["test"], ["testmini"])
            yield orjson.dumps(
                {"benchmark": test, "instruction": item.instruction.model_dump(mode="json")}
            ).decode()


def find_test(name: str) -> bool:
    """Whether a dataset is a benchmark."""
    try:
        return find_dataset(name).benchmark is not None
    except ConfigError:
        return False


def _evalplus(item: EvaluatedItem, number: int) -> Iterator[dict[str, object]]:
    name = _EVALPLUS.get(item.instruction.dataset)
    if name is None:
        return
    task_id = name.format(item.instruction.source.rpartition("/")[2])
    preamble = item.instruction.tests.preamble if item.instruction.tests else ""
    for rollout in item.rollouts:
        code = rollout.steps[-1].node.action.code if rollout.steps else None
        yield {"task_id": task_id, "solution": f"{preamble}\n{code}\n" if code else ""}


def _lm_eval(item: EvaluatedItem, number: int) -> Iterator[dict[str, object]]:
    answers = [_last(rollout) for rollout in item.rollouts]
    yield {
        "doc_id": number,
        "doc": {"question": item.instruction.question, "id": item.id, "source": item.instruction.source},
        "target": item.instruction.gold or "",
        "arguments": [[item.instruction.prompt, {}]],
        "resps": [answers],
        "filtered_resps": answers,
        "exact_match": float(bool(item.rollouts and item.rollouts[0].solved_at)),
    }


def _rewardbench(item: EvaluatedItem, number: int) -> Iterator[dict[str, object]]:
    told: dict[Outcome, list[str]] = {Outcome.RIGHT: [], Outcome.WRONG: []}
    for rollout in item.rollouts:
        if len(rollout.steps) == 1 and (outcome := outcome_of(rollout.steps[0].node)) in told:
            told[outcome].append(rollout.steps[0].node.action.text)
    prompt = item.instruction.prompt

    def talk(answer: str) -> list[dict[str, str]]:
        return [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]

    for place, (right, wrong) in enumerate(zip(told[Outcome.RIGHT], told[Outcome.WRONG], strict=False)):
        yield {
            "prompt": prompt, "chosen": talk(right), "rejected": talk(wrong),
            "subset": re.sub(r"\W+", "-", f"{item.instruction.dataset}-{item.instruction.task}".lower()),
            "id": f"{item.id[:16]}-{place}",
        }  # fmt: skip


def _last(rollout: Rollout) -> str:
    return rollout.steps[-1].node.action.raw if rollout.steps else ""
