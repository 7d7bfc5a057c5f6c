"""A whole trajectory as an environment: action in; observation, perhaps a critique, and whether it is over out.

The semantics are the tree's. A wrong action is followed by a user turn that says what the program printed, that the
answer is wrong, and what a critic says of it, with the gold answer taken out; the program of the next turn finds the
notebook as this one left it. A Logic action that calls a tool and does not answer yet gets the tool's output within its
turn. The episode ends with a correct action, at the turn cap, or where nothing is known of an action: then no reward is
given at all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

from ultrainteract.config import GrowthConfig
from ultrainteract.models.base import FinishReason
from ultrainteract.replay import Observed
from ultrainteract.rewards.attempts import Attempt, read_problem
from ultrainteract.rewards.scorer import Scorer
from ultrainteract.schema import (
    Action,
    Critique,
    Exchange,
    Instruction,
    Label,
    Message,
    Node,
    Observation,
    Provenance,
    Record,
    SamplingParams,
    Task,
    Verdict,
)
from ultrainteract.tree.guards import leaks, redact
from ultrainteract.wording import feedback, shown_output

Critic = Callable[[Instruction, tuple[Message, ...], Node], Awaitable[str]]
"""Comments on a wrong action: the problem, the conversation up to it, and the action with its observation. An empty
text is no critique."""

MAX_TURNS = GrowthConfig.model_fields["max_turns"].default
MAX_TOOL_ROUNDS = GrowthConfig.model_fields["max_tool_rounds"].default


class Step(Record):
    """What follows an action."""

    observation: str
    """The user turn to show the policy; empty where the episode is over."""
    reward: float | None
    """1 or 0 where the action is proved; None where nothing is known (mask the trajectory), or the turn goes on."""
    done: bool
    """Whether the episode is over."""
    ended: Literal["", "solved", "turn_cap", "undetermined"] = ""
    """Why."""
    verdict: Verdict | None = None
    """The verdict; None where a tool was called and the turn goes on."""


class Episode:
    """One trajectory of a policy.

    Args:
        problem: The problem, packed: the column `problem` of an `-rl` export.
        scorer: Runs and grades the actions; it must be open.
        max_turns: Turn cap.
        critic: Comments on wrong actions; without one the policy is told the output and that it is wrong.
    """

    def __init__(
        self, problem: str, scorer: Scorer, *, max_turns: int = MAX_TURNS, critic: Critic | None = None
    ) -> None:
        self.instruction = read_problem(problem)
        self._problem = problem
        self._scorer = scorer
        self._critic = critic
        self._max_turns = max_turns
        self._cells: list[str] = []
        self._exchanges: tuple[Exchange, ...] = ()
        self.messages = [Message(role="user", content=self.instruction.prompt)]
        """The conversation so far, as the policy sees it."""
        self.nodes: list[Node] = []
        """Actions with what followed them, one per turn."""
        self.done = False
        """Whether the episode is over."""

    async def step(self, text: str, finish_reason: FinishReason = "stop") -> Step:
        """Takes the policy's next message.

        Args:
            text: The message as written.
            finish_reason: Why it ended.

        Raises:
            ValueError: The episode is over.
            SandboxError: There is no isolation here, or a tool call failed again and again.
        """
        if self.done:
            raise ValueError("This episode is over. Begin another one.")
        said = tuple(message.content for message in self.messages if message.role == "assistant")
        attempt = Attempt(problem=self._problem, text=text, finish_reason=finish_reason, earlier=said)
        read = self._scorer.read(attempt)
        action = read.action.model_copy(update={"exchanges": self._exchanges})
        self.messages.append(Message(role="assistant", content=text))
        if read.verdict is None and self._calls_tool(action):
            return await self._tool(action)
        if read.verdict is not None:
            observed = Observed(observation=Observation(), verdict=read.verdict)
        else:
            observed = await self._scorer.observe(self.instruction, self._cells, action)
        return await self._judged(action, observed)

    def _calls_tool(self, action: Action) -> bool:
        return (
            self.instruction.task.kind is Task.LOGIC
            and action.code is not None
            and action.answer is None
            and len(self._exchanges) < MAX_TOOL_ROUNDS
        )

    async def _tool(self, action: Action) -> Step:
        output = await self._scorer.call_tool(self.instruction, self._cells, action)
        exchange = Exchange(text=action.text, raw=action.raw, code=action.code, output=output)
        self._exchanges = (*self._exchanges, exchange)
        return self._goes_on(shown_output(output, self.instruction.wording), None, None)

    async def _judged(self, action: Action, observed: Observed) -> Step:
        node = Node(
            action=action,
            observation=observed.observation,
            verdict=observed.verdict,
            provenance=_BY_POLICY.model_copy(update={"ordinal": len(self.nodes)}),
        )
        verdict = observed.verdict
        reward = {Label.CORRECT: 1.0, Label.WRONG: 0.0}.get(verdict.label)
        self._exchanges = ()
        ended: Literal["solved", "turn_cap", "undetermined"] | None = None
        if verdict.label is Label.UNDETERMINED:
            ended = "undetermined"
        elif verdict.label is Label.CORRECT:
            ended = "solved"
        elif len(self.nodes) + 1 >= self._max_turns:
            ended = "turn_cap"
        elif self._critic is not None:
            node = await self._criticised(node)
        self.nodes.append(node)
        if ended is not None:
            self.done = True
            return Step(observation="", reward=reward, done=True, ended=ended, verdict=verdict)
        self._cells += [
            code
            for code in (*(exchange.code for exchange in action.exchanges), action.code)
            if code is not None
        ]
        return self._goes_on(feedback(node, self.instruction.wording), reward, verdict)

    async def _criticised(self, node: Node) -> Node:
        assert self._critic is not None
        text = " ".join((await self._critic(self.instruction, tuple(self.messages), node)).split())
        if not text:
            return node
        seen = (node.action.text, node.observation.output or "")
        if leaks(text, self.instruction, *seen):
            text = redact(text, self.instruction, *seen)
        return node.model_copy(update={"critique": Critique(text=text, provenance=_BY_POLICY)})

    def _goes_on(self, said: str, reward: float | None, verdict: Verdict | None) -> Step:
        self.messages.append(Message(role="user", content=said))
        return Step(observation=said, reward=reward, done=False, verdict=verdict)


_BY_POLICY = Provenance(
    model="policy", provider="trainer", sampling=SamplingParams(), step="rollout", ordinal=0
)
