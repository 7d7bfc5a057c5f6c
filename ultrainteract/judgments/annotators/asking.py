"""A model as annotator: every question of a plan, with each reply recorded before it is used.

Repetitions of a condition are further samples of one request, so a plan that was interrupted, or extended, pays for
nothing twice. The replies lie in a run directory of their own; a refused request leaves its questions without an
answer.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from ultrainteract.config import RunConfig
from ultrainteract.judgments.annotators.measures import Question
from ultrainteract.judgments.annotators.plan import messages
from ultrainteract.judgments.trees import open_instruction
from ultrainteract.models import price_of
from ultrainteract.models.base import ChatModel, Purpose
from ultrainteract.prompts import Prompts
from ultrainteract.replay.sessions import RecordedSampler
from ultrainteract.store import RunStore


async def ask_model(
    questions: Sequence[Question],
    config: RunConfig,
    name: str,
    models: Mapping[str, ChatModel],
    folder: Path,
) -> list[Question]:
    """Has a model answer a plan.

    Args:
        questions: The plan.
        config: The configuration that names the model.
        name: The model's name in it.
        models: The models by name.
        folder: Where replies are recorded.

    Returns:
        The questions in order, with answers.

    Raises:
        ProviderError, BudgetExceeded: No further request can be sent; what was answered is recorded.
        StoreError: A reply could not be recorded.
    """
    prompts = Prompts(config.growth.prompts)
    groups: dict[tuple[str, tuple[str, str, str]], list[int]] = defaultdict(list)
    for number, question in enumerate(questions):
        groups[question.item.id, question.condition].append(number)
    answers: dict[int, str] = {}
    room = asyncio.Semaphore(config.max_inflight_trees)
    with RunStore.resume(folder, config) as store:
        sampler = RecordedSampler(store, models, config, price_of)

        async def ask(numbers: list[int]) -> None:
            question = questions[numbers[0]]
            item = question.item
            root = open_instruction(
                item.prompt, grader="consistency", dataset="annotate", source=f"annotate/{item.id}"
            )
            talk = messages(prompts, item, question.order, question.wording, question.scale)
            async with room:
                samples = await sampler.session(root).sample(
                    name, talk, len(numbers), Purpose(role="judge", step="annotate")
                )
            for number, sample in zip(
                sorted(numbers, key=lambda place: questions[place].repeat), samples, strict=False
            ):
                answers[number] = sample.completion.text

        try:
            async with asyncio.TaskGroup() as group:
                for numbers in groups.values():
                    group.create_task(ask(numbers))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
    author = annotator_name(config, name)
    return [
        question.model_copy(update={"annotator": author, "answer": answers.get(number)})
        for number, question in enumerate(questions)
    ]


def annotator_name(config: RunConfig, name: str) -> str:
    """The annotator that a model of a configuration is; with its name there where another one is of the same model.

    Args:
        config: The configuration.
        name: The model's name in it.
    """
    model = config.models[name].model
    shared = sum(other.model == model for other in config.models.values()) > 1
    return f"{model} ({name})" if shared else model
