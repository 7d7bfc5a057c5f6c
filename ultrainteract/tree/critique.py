"""The critique of a wrong action, and the guard that keeps the gold answer out of it."""

from __future__ import annotations

from typing import Literal

from ultrainteract.models.base import Purpose
from ultrainteract.schema import Critique, Message, Node
from ultrainteract.tree.context import Context
from ultrainteract.tree.guards import leaks, redact
from ultrainteract.wording import feedback


async def criticise(context: Context, node: Node) -> Critique | None:
    """ModelDemand the critic about `node`; a critique that leaks the gold answer is asked for again, then redacted.

    Returns:
        The critique; None where the provider refuses to comment.
    """
    config, instruction = context.config.critic, context.instruction
    reference = next(iter((*instruction.solutions, *instruction.rationales)), "")
    output = node.observation.output or ""
    messages = context.prompts.render(
        f"critic/{instruction.task.value.lower()}",
        prompt=instruction.prompt,
        gold=instruction.gold or ", ".join(instruction.gold_set),
        reference=reference,
        history=[
            {"action": earlier.action.text, "feedback": feedback(earlier, context.instruction.wording)}
            for earlier in context.history
        ],
        action=node.action.text,
        output=output,
        finding=node.verdict.evidence.detail if node.verdict.evidence else "",
    )
    purpose = Purpose(role="critic", step="critic", turn=context.turn)
    seen = (node.action.text, output)
    guard: Literal["clean", "asked_again", "redacted"] = "clean"
    retries = config.leak_retries
    while True:
        sample = await context.ask(config.model, messages, purpose, config.sampling)
        if sample is None or not sample.completion.text.strip():
            return None
        text = sample.completion.text  # judged with its lines: a copied program is found by them
        if leaks(text, instruction, *seen):
            if retries > 0:
                retries -= 1
                guard = "asked_again"
                context.guards["critique_asked_again"] += 1
                answer = Message(role="assistant", content=sample.completion.text)
                messages = (*messages, answer, *context.prompts.render("critic/again"))
                purpose = purpose.model_copy(update={"form": "again"})
                continue
            guard, text = "redacted", redact(text, instruction, *seen)
            context.guards["critique_redacted"] += 1
        return Critique(text=" ".join(text.split()), guard=guard, provenance=sample.provenance)
