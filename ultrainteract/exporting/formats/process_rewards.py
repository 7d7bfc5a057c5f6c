"""Labels for process reward models: of whole responses, for implicit rewards, and of turns.

- `implicit-prm`: every proved action with its label. A model trained on such labels alone, by cross-entropy on the
  log-ratio of the response to a reference model, gives a reward per token (implicit process rewards: PRIME, arXiv
  2502.01456; "Free Process Rewards without Process Labels", arXiv 2412.01981). `examples/implicit_prm` trains one.
- `turn-labels`: trajectories whose turns are labelled one by one, with what was said of each wrong one, and the turn
  that turned right.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeGuard

from ultrainteract.config import ExportConfig
from ultrainteract.dataset.samples import history, node_passes, spoken, tagged
from ultrainteract.exporting.formats.trl import messages
from ultrainteract.exporting.registry import exporter
from ultrainteract.schema import Label, Node, Tree
from ultrainteract.wording import feedback

Row = dict[str, Any]

RESPONSE_COLUMNS = {
    "prompt": "messages", "completion": "messages", "label": "bool", "id": "string", "turn": "int",
    "task": "string", "check": "string",
}  # fmt: skip
TURN_COLUMNS = {
    "prompt": "messages", "actions": "strings", "feedback": "strings", "labels": "bools", "solved_at": "int",
    "id": "string", "task": "string",
}  # fmt: skip


@exporter(
    "implicit-prm", kind="tree", columns=RESPONSE_COLUMNS, spread=True, reasoning=False,
    summary="every proved action with its label, for implicit process rewards",
)  # fmt: skip
def response_rows(tree: Tree, config: ExportConfig) -> Iterator[Row]:
    """The proved actions of a tree, each after the turns before it; none twice. Judged ones are no proof.

    Example:
        >>> from ultrainteract.exporting.example import example_tree
        >>> [(row["turn"], row["label"]) for row in response_rows(example_tree(), ExportConfig())]
        [(1, True), (1, False), (2, True), (2, False)]
    """
    seen: set[tuple[int, str]] = set()
    for number, node in tree.nodes():
        evidence = node.verdict.evidence
        if evidence is None or evidence.check == "judge" or (number, node.action.text) in seen:
            continue
        if not node_passes(node, tree.turns[number - 1], number, config.filter):
            continue
        seen.add((number, node.action.text))
        before = history(tree, number) if config.pair_history == "full" else ()
        yield {
            "prompt": messages((("user", tree.instruction.prompt), *before)),
            "completion": messages((("assistant", tagged(node.action, spoken(node.action), config)),)),
            "label": node.verdict.label is Label.CORRECT,
            "id": tree.id,
            "turn": number,
            "task": tree.instruction.task.value,
            "check": evidence.check,
        }


@exporter(
    "turn-labels", kind="tree", columns=TURN_COLUMNS, summary="trajectories, each turn labelled, with the feedback",
    reasoning=False,
)  # fmt: skip
def turn_rows(tree: Tree, config: ExportConfig) -> Iterator[Row]:
    """The trajectories of a tree: one to each turn that turned right, and the longest that never did.

    `feedback` has one text for each wrong action that another turn follows; `solved_at` is the turn (from 1) whose
    action is correct, 0 where there is none.

    Example:
        >>> from ultrainteract.exporting.example import example_tree
        >>> [(row["labels"], row["solved_at"]) for row in turn_rows(example_tree(), ExportConfig())]
        [([True], 1), ([False, True], 2), ([False, False], 0)]
    """
    wrong: list[Node] = []
    for number, turn in enumerate(tree.turns, 1):
        if _proved(turn.correct) and node_passes(turn.correct, turn, number, config.filter):
            yield _trajectory(tree, [*wrong, turn.correct], solved_at=number)
        node = turn.incorrect
        if not _proved(node) or not node_passes(node, turn, number, config.filter):
            break
        wrong.append(node)
    if wrong:
        yield _trajectory(tree, wrong, solved_at=0)


def _proved(node: Node | None) -> TypeGuard[Node]:
    return node is not None and node.verdict.evidence is not None and node.verdict.evidence.check != "judge"


def _trajectory(tree: Tree, nodes: list[Node], *, solved_at: int) -> Row:
    return {
        "prompt": messages((("user", tree.instruction.prompt),)),
        "actions": [spoken(node.action, tree.instruction.wording) for node in nodes],
        "feedback": [feedback(node, tree.instruction.wording) for node in nodes[:-1]],
        "labels": [number == solved_at for number in range(1, len(nodes) + 1)],
        "solved_at": solved_at,
        "id": tree.id,
        "task": tree.instruction.task.value,
    }
