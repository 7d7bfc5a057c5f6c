"""A tree in the terminal: what was asked, tried at each turn, and came of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.text import Text
from rich.tree import Tree as Branches

from ultrainteract.schema import FeedbackWording, Node, Tree, Turn
from ultrainteract.wording import feedback, shown_output

if TYPE_CHECKING:
    from ultrainteract.running.recorded import RecordedCall

_STYLE = {"correct": "green", "wrong": "red", "undetermined": "yellow"}


def tree_view(tree: Tree) -> RenderableType:
    """A tree as nested branches: each turn under the incorrect action it follows."""
    instruction = tree.instruction
    head = f"{instruction.task} · {instruction.dataset} · {tree.state} ({tree.ended}) · depth {tree.depth}"
    marks = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in tree.guards.items())
    lines = [Text(instruction.prompt), Text(f"gold: {instruction.gold or 'tests'}", style="dim")]
    if marks:
        lines.append(Text(f"guards: {marks}", style="dim"))
    if tree.simulated:
        lines.append(Text("simulated: no language model wrote this", style="bold yellow"))
    root = Branches(
        Panel(Group(*lines), title=head, subtitle=tree.id, title_align="left", subtitle_align="left")
    )
    branch = root
    for number, turn in enumerate(tree.turns, 1):
        label = f"turn {number}" + ("" if turn.pass_rate is None else f" · pass rate {turn.pass_rate:.0%}")
        branch = branch.add(Text(label, style="bold"))
        _add_turn(branch, turn, instruction.wording)
    return root


def _add_turn(branch: Branches, turn: Turn, words: FeedbackWording | None) -> None:
    if turn.correct is not None:
        branch.add(_node(turn.correct, words, "chosen" if turn.paired else "correct"))
    for pair in turn.extra:
        branch.add(_node(pair.chosen, words, "chosen (extra pair)"))
        branch.add(_node(pair.rejected, words, "rejected (extra pair)"))
    if turn.incorrect is not None:
        branch.add(_node(turn.incorrect, words, "rejected" if turn.paired else "incorrect"))


def _node(node: Node, words: FeedbackWording | None, role: str) -> RenderableType:
    verdict, provenance = node.verdict, node.provenance
    detail = verdict.reason or (verdict.evidence.detail if verdict.evidence else "")
    body: list[RenderableType] = []
    for exchange in node.action.exchanges:
        body += [Text(exchange.text), Text(shown_output(exchange.output, words), style="cyan")]
    body.append(Text(node.action.text))
    if node.verdict.label != "correct" or node.observation.output is not None:
        body.append(Text(feedback(node, words), style="cyan"))
    return Panel(
        Group(*body),
        title=Text(f"{role} · {provenance.model} · {provenance.step}", style=_STYLE[verdict.label]),
        subtitle=Text(f"{verdict.label}{': ' + detail if detail else ''}", style="dim"),
        title_align="left",
        subtitle_align="left",
        border_style=_STYLE[verdict.label],
    )


def show_calls(calls: Iterable[RecordedCall], console: Console) -> None:
    """Prints samples as the models wrote them, each conversation once before its samples."""
    asked = None
    for call in calls:
        if call.messages is not asked:
            asked = call.messages
            console.rule(f"{call.source} · turn {call.turn} · {call.role} · {call.step} · {call.model}")
            for message in call.messages:
                console.print(Text(f"[{message.role}]", style="bold"))
                console.print(Text(message.content))
        head = f"[sample {call.ordinal} · {call.finish_reason} · {call.tokens:,} tokens]"
        console.print(Text(f"[refused] {call.refused}" if call.refused else head, style="bold yellow"))
        if call.reasoning:
            console.print(Text(call.reasoning, style="dim"))
        console.print(Text(call.text))
