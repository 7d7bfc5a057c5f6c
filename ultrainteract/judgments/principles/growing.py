"""Queries answered under several constitutions: unlabelled trees, in a run directory like any other.

A response that repeats its constitution, is empty or cut off, or equals another one of its query tells principles
apart by something else than behaviour, or not at all: the query is skipped, with the reason. Replies are recorded
before they are used.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

from ultrainteract.config import Principle, PrinciplesConfig, RunConfig
from ultrainteract.judgments.principles.constitutions import constitutions, drawn
from ultrainteract.judgments.trees import open_instruction
from ultrainteract.models import price_of
from ultrainteract.models.base import ChatModel, Purpose
from ultrainteract.prompts import Prompts
from ultrainteract.replay.provenance import Sample
from ultrainteract.replay.sessions import RecordedSampler
from ultrainteract.schema import (
    Action,
    Constitution,
    Instruction,
    Node,
    Observation,
    Tree,
    TreeState,
    Turn,
    Verdict,
)
from ultrainteract.store import Outcome, RunStore

UNLABELLED = "unlabelled by design: one of several constitutions"
"""Reason of the verdict on every response."""


async def answer_queries(
    queries: Sequence[str],
    principles: Sequence[Principle],
    config: RunConfig,
    name: str,
    models: Mapping[str, ChatModel],
    folder: Path,
    *,
    dataset: str,
    licence: str | None = None,
    count: int = 2,
    accept_config: bool = False,
) -> Counter[str]:
    """Has a model answer each query under `count` constitutions.

    The directory is bound to model, count and principles, as to the rest of the configuration.

    Args:
        queries: The queries.
        principles: The principles.
        config: The configuration that names the model; its seed decides which contrast a query gets.
        name: The model's name in it.
        models: The models by name.
        folder: The run directory.
        dataset: Name of the dataset on the trees.
        licence: License of the queries.
        count: Constitutions per query.
        accept_config: Go on with a directory of other principles or another configuration: queries are answered again,
            and recorded replies are reused.

    Returns:
        Queries by state: `unlabelled`, and `skipped: <reason>`.

    Raises:
        ConfigError: There are not so many constitutions.
        ProviderError, BudgetExceeded: No further request can be sent; what was answered is recorded.
        StoreError: A record could not be written, or the directory belongs to other principles or another
            configuration.
    """
    prompts, known = Prompts(config.growth.prompts), constitutions(principles)
    roots = {
        root.id: root
        for query in queries
        for root in [open_instruction(query, grader="principle", dataset=dataset, licence=licence)]
    }
    room = asyncio.Semaphore(config.max_inflight_trees)
    asked = PrinciplesConfig(model=name, count=count, principles=tuple(principles))
    config = config.model_copy(update={"principles": asked})
    with RunStore.resume(folder, config, accept_config=accept_config) as store:
        sampler = RecordedSampler(store, models, config, price_of)

        async def settle(root: Instruction) -> None:
            session = sampler.session(root)
            chosen = drawn(known, count, Random(f"{config.seed} {root.id} constitutions"))
            async with room:
                found = [
                    await session.sample(
                        name, prompts.render("principles/respond", query=root.prompt, principles=one.principles), 1,
                        Purpose(role="actor", step="principles"),
                    )
                    for one in chosen
                ]  # fmt: skip
                tree = tree_of(root, chosen, [samples[0] if samples else None for samples in found])
                state = TreeState.SKIPPED if isinstance(tree, str) else tree.state
                outcome = Outcome(
                    key=root.id, state=state, reason=tree if isinstance(tree, str) else "", dataset=dataset,
                    source=root.source,
                )  # fmt: skip
                await store.put_outcomes([(outcome, None if isinstance(tree, str) else tree)])

        settled = {outcome.key for outcome, _ in store.ledger()}
        try:
            async with asyncio.TaskGroup() as group:
                for root in roots.values():
                    if root.id not in settled:
                        group.create_task(settle(root))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        return Counter(
            outcome.state.value + (f": {outcome.reason}" if outcome.reason else "")
            for outcome, _ in store.ledger()
        )


def tree_of(
    root: Instruction, chosen: Sequence[Constitution], samples: Sequence[Sample | None]
) -> Tree | str:
    """The unlabelled tree of a query, or why there is none."""
    nodes = []
    for constitution, sample in zip(chosen, samples, strict=True):
        if sample is None:
            return "the provider refused a request"
        text = sample.completion.text.strip()
        if sample.completion.finish_reason != "stop":
            return "a response was cut off or withheld"
        if not text:
            return "a response is empty"
        if any(_plain(principle) in _plain(text) for principle in constitution.principles):
            return "a response repeats its constitution"
        nodes.append(
            Node(
                action=Action(raw=sample.completion.text, reasoning_schema="cot", text=text,
                              reasoning=sample.completion.reasoning),
                observation=Observation(), verdict=Verdict.undetermined(UNLABELLED), provenance=sample.provenance,
                constitution=constitution,
            )
        )  # fmt: skip
    if len({_plain(node.action.text) for node in nodes}) < len(nodes):
        return "two responses are the same"
    return Tree(instruction=root, turns=(Turn(unlabelled=tuple(nodes)),), ended="unlabelled")


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".")
