"""How likely each response is under each constitution of its query: the matrix from which `information` makes figures.

For a query with N responses a model is asked N² times for the log-probabilities of a given answer. A tree keeps its
matrix; one that has it is not asked about again, so an interrupted scoring goes on.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from statistics import fmean

from ultrainteract.config import RunConfig
from ultrainteract.errors import ConfigError
from ultrainteract.judgments.principles.information import Score, scores
from ultrainteract.models.base import ChatModel, ScoresAnswers
from ultrainteract.prompts import Prompts
from ultrainteract.schema import Tree, Turn
from ultrainteract.store import Outcome, RunStore

SCORED_BY = "log_likelihood_by"
"""Key in the run directory's `meta`: the model whose log-probabilities its trees hold."""


async def score_trees(folder: Path, config: RunConfig, model: ChatModel) -> dict[str, Score]:
    """Fills the matrices of a run's unlabelled trees.

    Args:
        folder: The run directory.
        config: The prompts under which the responses were written, and how many trees are asked about at a time.
        model: Says how likely a given answer is.

    Returns:
        Figures by contrast.

    Raises:
        ConfigError: The model gives no log-probabilities of given answers, or another one has scored this directory.
        ProviderError: No further request can be sent; what was scored is kept.
        StoreError: There is no run directory, or it cannot be written.
    """
    if not isinstance(model, ScoresAnswers):
        raise ConfigError(
            f"Model '{model.name}' (provider {model.provider}) gives no log-probabilities of given answers; provider "
            "vllm does."
        )
    prompts, room = Prompts(config.growth.prompts), asyncio.Semaphore(config.max_inflight_trees)
    with RunStore.open(folder, readonly=False) as store:
        known = store.meta(SCORED_BY)
        if known and known != model.model:
            raise ConfigError(
                f"{folder} holds log-probabilities by {known}: those of {model.model} would not compare with them. "
                "Score a copy of the directory."
            )
        store.put_meta(SCORED_BY, model.model)

        async def score(outcome: Outcome, tree: Tree) -> None:
            async with room:
                turn = tree.turns[0]
                scored = turn.model_copy(update={"log_likelihood": await _matrix(prompts, model, tree, turn)})
                await store.put_outcomes([(outcome, tree.model_copy(update={"turns": (scored,)}))])

        outcomes = {outcome.key: outcome for outcome, _ in store.ledger()}
        left = [
            tree
            for tree in store.trees()
            if len(tree.turns) == 1 and _is_open(tree.turns[0]) and not tree.turns[0].log_likelihood
        ]
        try:
            async with asyncio.TaskGroup() as group:
                for tree in left:
                    group.create_task(score(outcomes[tree.id], tree))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        return scores(store.trees())


def _is_open(turn: Turn) -> bool:
    return len(turn.unlabelled) > 1 and all(node.constitution is not None for node in turn.unlabelled)


async def _matrix(
    prompts: Prompts, model: ScoresAnswers, tree: Tree, turn: Turn
) -> tuple[tuple[float, ...], ...]:
    """Mean log-probability per token of each response (column) under each constitution (row), nats."""

    async def under(number: int, response: str) -> float:
        constitution = turn.unlabelled[number].constitution
        assert constitution is not None
        asked = prompts.render(
            "principles/respond", query=tree.instruction.prompt, principles=constitution.principles
        )
        return round(fmean(await model.log_probabilities(asked, response)), 6)

    size = len(turn.unlabelled)
    values = await asyncio.gather(
        *(under(row, node.action.raw) for row in range(size) for node in turn.unlabelled)
    )
    return tuple(tuple(values[row * size : (row + 1) * size]) for row in range(size))
