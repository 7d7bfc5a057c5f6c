"""MINT's protocol: a model acts by running code or by proposing a solution, and is told what is left to it.

Per rollout at most k steps and two proposed solutions (one at k = 1); a message that is neither a program nor a
proposal is invalid and costs a step; a wrong proposal is always said to be wrong (arXiv 2309.10691, sections 2 and 3,
and its released configuration). The wording of the prompt is this project's own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ultrainteract.config.rollouts import RolloutConfig
from ultrainteract.models.base import Purpose
from ultrainteract.schema import Action, Label, Message, Node, Observation, Task, Verdict
from ultrainteract.schema.rollout import RolloutEnd
from ultrainteract.tree.actions import parse_action, syntax_ok
from ultrainteract.tree.critique import criticise
from ultrainteract.wording import ENGLISH, feedback

if TYPE_CHECKING:
    from ultrainteract.tree.rollouts import Running

INVALID = (
    "This is neither a program nor a solution. Write a program between <execute> and </execute>, or your solution "
    "between <solution> and </solution>."
)
"""What the model is told after an invalid action."""
TOOL = Verdict.undetermined("a program was run; no solution was proposed")
_NEITHER = Verdict.undetermined("no solution and no program was found")
_ACTION = re.compile(r"<(execute|solution)>(.*?)(?:</\1>|\Z)|```python\n(.*?)(?:```|\Z)", re.DOTALL)


class MintSession:
    """One rollout under the protocol.

    Args:
        rollout: The rollout; its steps are added to.
        policy: Proposals and feedback.
    """

    def __init__(self, rollout: Running, policy: RolloutConfig) -> None:
        self._rollout = rollout
        self._context = rollout.context
        self._feedback = policy.feedback
        self._proposals = min(policy.max_proposals, rollout.budget)
        self._cells: list[str] = []
        self._messages = self._context.prompts.render(
            "evaluation/mint",
            prompt=self._context.instruction.question,
            coding=self._context.instruction.task.kind is Task.CODING,
            steps=rollout.budget,
            proposals=self._proposals,
        )

    async def play(self) -> RolloutEnd:
        """Plays to the end and says why it ended.

        Raises:
            UltraInteractError: As of `Roller.grow`.
        """
        config, context = self._context.config, self._context
        step = config.growth.ladder[0]
        while True:
            number = len(self._rollout.steps) + 1
            purpose = Purpose(role="actor", step=step.name, turn=number)
            samples = await context.session.sample(step.model, self._messages, 1, purpose, step.sampling)
            if not samples:
                return "refused"
            (sample,) = samples
            context.simulation = context.simulation or sample.provenance.simulated
            kind, action = self._read(sample.completion.text)
            if kind == "answer":
                (seen,) = await context.observer.observe(
                    context.instruction, self._cells, [action], context._ask_judge
                )
                observation, verdict = seen.observation, seen.verdict
            elif kind == "tool":
                (output,) = await context.observer.call_tools(context.instruction, self._cells, [action])
                observation, verdict = Observation(output=output), TOOL
                self._cells.append(action.code or "")
            else:
                observation, verdict = Observation(), _NEITHER
            node = Node(action=action, observation=observation, verdict=verdict, provenance=sample.provenance)
            self._rollout.add(sample, node, kind=kind)
            self._proposals -= int(kind == "answer")
            if verdict.label is Label.CORRECT:
                return "solved"
            if not self._proposals:
                return "proposals"
            if number == self._rollout.budget:
                return "turn_cap"
            self._messages = (
                *self._messages,
                Message(role="assistant", content=action.raw),
                Message(role="user", content=await self._observed(kind, node, self._rollout.budget - number)),
            )

    def _read(self, text: str) -> tuple[str, Action]:
        """What a message does: its first program or solution counts."""
        found = _ACTION.search(text)
        action = Action(raw=text, reasoning_schema="cot", text=text)
        if found is None or not (found[2] or found[3] or "").strip():
            return "invalid", action
        if found[1] == "solution":
            read = parse_action(
                f"<solution>\n{found[2].strip()}\n</solution>", self._context.instruction, "cot"
            )
            return "answer", action.model_copy(update={"code": read.code, "answer": read.answer})
        code = re.sub(r"\A```(?:python)?\n|```\s*\Z", "", (found[2] or found[3]).strip("\n"))
        return "tool", action.model_copy(update={"code": code, "syntax_ok": syntax_ok(code)})

    async def _observed(self, kind: str, node: Node, left: int) -> str:
        """The user turn after an action: what came of it, what is left, and a critique where there is to be one."""
        lines = [INVALID]
        if kind == "tool":
            lines = [f"{ENGLISH.feedback.output}{node.observation.output}"]
        elif kind == "answer":
            lines = [ENGLISH.feedback.wrong]
        if self._feedback == "critique" and kind == "answer" and node.verdict.label is Label.WRONG:
            critique = await criticise(self._context, node)
            if critique is not None and critique.guard != "redacted":
                node = node.model_copy(update={"critique": critique})
                lines = [feedback(node.model_copy(update={"observation": Observation()}))]
            self._rollout.steps[-1] = self._rollout.steps[-1].model_copy(
                update={"node": node, "withheld": critique is not None and critique.guard == "redacted"}
            )
        lines.append(f"Steps left: {left}. Solutions left to propose: {self._proposals}.")
        if left == 1:
            lines.append("This is your last step: propose a solution.")
        return "\n".join(lines)
