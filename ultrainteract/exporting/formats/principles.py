"""Responses under several constitutions: the matrix's material for SAMI, and pairs that hold under a principle.

Neither format names a winner: a response is preferred under its own constitution only, which stands in the prompt.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ultrainteract.config import ExportConfig
from ultrainteract.dataset.samples import opening_text
from ultrainteract.exporting.formats.trl import PREFERENCE_COLUMNS
from ultrainteract.exporting.registry import exporter
from ultrainteract.schema import Constitution, Node, Tree

Row = dict[str, Any]
SAMI_COLUMNS = {
    "query": "string", "names": "strings", "constitutions": "strings", "prompts": "strings", "responses": "strings",
    "logprobs": "matrix",
}  # fmt: skip


@exporter(
    "sami", kind="tree", columns=SAMI_COLUMNS, summary="SAMI: a query's responses under each constitution"
)
def sami_rows(tree: Tree, config: ExportConfig) -> Iterator[Row]:
    """A query with N constitutions and the response to each, in the same order; a trainer crosses them.

    `logprobs` is the matrix of mean log-probabilities per token (row: constitution, column: response), empty where no
    model computed it. Read by examples/sami.
    """
    for nodes, matrix in _groups(tree):
        query = opening_text(tree.instruction)
        texts = [principles_text(constitution) for constitution, _ in nodes]
        yield {
            "query": query,
            "names": [constitution.name for constitution, _ in nodes],
            "constitutions": texts,
            "prompts": [f"{text}\n\n{query}" for text in texts],
            "responses": [node.action.text for _, node in nodes],
            "logprobs": [list(row) for row in matrix],
        }


@exporter(
    "principle-pair", kind="tree", columns={**PREFERENCE_COLUMNS, "constitution": "string"},
    summary="TRL: prompt with a constitution, chosen under it, rejected under another",
)  # fmt: skip
def principle_pairs(tree: Tree, config: ExportConfig) -> Iterator[Row]:
    """One row for each constitution and each response to another one, preferred under the one in the prompt."""
    for nodes, _ in _groups(tree):
        for constitution, own in nodes:
            prompt = [
                {"role": "system", "content": principles_text(constitution)},
                *({"role": message.role, "content": message.content} for message in tree.instruction.context),
                {"role": "user", "content": tree.instruction.prompt},
            ]
            for other, node in nodes:
                if other.name != constitution.name:
                    yield {
                        "prompt": prompt,
                        "chosen": [{"role": "assistant", "content": own.action.text}],
                        "rejected": [{"role": "assistant", "content": node.action.text}],
                        "constitution": constitution.name,
                    }


def principles_text(constitution: Constitution) -> str:
    """A constitution as text, one principle a line."""
    return "\n".join(["Follow these principles:", *(f"- {one}" for one in constitution.principles)])


def _groups(tree: Tree) -> Iterator[tuple[list[tuple[Constitution, Node]], tuple[tuple[float, ...], ...]]]:
    for turn in tree.turns:
        nodes = [(node.constitution, node) for node in turn.unlabelled if node.constitution is not None]
        if nodes:
            yield nodes, turn.log_likelihood
