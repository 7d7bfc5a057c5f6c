"""Grows one tree: turn by turn, a correct action from the ladder and an incorrect one, which is expanded.

Growing is a deterministic function of the instruction, the configuration and the recorded calls. Nothing here
knows about files, servers or containers, and nothing survives a tree but its record.
"""

from __future__ import annotations

from ultrainteract.config import RunConfig
from ultrainteract.errors import ProviderError
from ultrainteract.prompts import Prompts
from ultrainteract.replay import Observer, Sampler
from ultrainteract.schema import Ended, Instruction, Label, Tree, Turn
from ultrainteract.tree.context import Context
from ultrainteract.tree.cpu import CPUQueue
from ultrainteract.tree.critique import criticise
from ultrainteract.tree.turn import first_samples, take_turn


class Grower:
    """Grows trees under one configuration.

    Args:
        config: The run's configuration.
        sampler: Draws samples.
        observer: Observes actions.
    """

    def __init__(self, config: RunConfig, sampler: Sampler, observer: Observer) -> None:
        self._config = config
        self._sampler = sampler
        self._observer = observer
        self._prompts = Prompts(config.growth.prompts)
        self._cpu = CPUQueue()

    async def grow(self, instruction: Instruction) -> Tree:
        """Grows the tree of `instruction`.

        Raises:
            ProviderError: A model could not be reached, or the provider refuses whatever the first turn asks;
                everything recorded stays valid.
            SandboxError: The sandbox failed again and again.
            BudgetExceeded: The budget is used up.
            StoreError: The record could not be written.
        """
        context = self._context(instruction)
        turns: list[Turn] = []
        while True:
            turn = await take_turn(context)
            if not any(step.drawn for step in turn.steps):
                if not turns:  # nothing is known of this instruction: it is asked again by the next run
                    raise ProviderError(f"Every request was refused. {context.session.refusal}", refused=True)
                return self._tree(context, turns, "refused")
            ended: Ended | None = self._ended(turn, len(turns) + 1)
            if ended is None and turn.incorrect is not None:
                critique = await criticise(context, turn.incorrect)
                if critique is None:
                    ended = "no_critique"
                else:
                    expanded = turn.incorrect.model_copy(update={"critique": critique})
                    turn = turn.model_copy(update={"incorrect": expanded})
                    context.history.append(expanded)
            turns.append(turn)
            if ended is not None:
                return self._tree(context, turns, ended)

    def _tree(self, context: Context, turns: list[Turn], ended: Ended) -> Tree:
        instruction = context.instruction
        if context.dialogue is not None:
            instruction = instruction.model_copy(update={"dialogue": context.dialogue})
        judged = any(step.judged for turn in turns for step in turn.steps)
        return Tree(
            instruction=instruction,
            turns=tuple(turns),
            ended=ended,
            guards={name: count for name, count in sorted(context.guards.items()) if count},
            unread="" if judged else context.unread,
            simulation=context.simulation,
        )

    async def solves(self, instruction: Instruction, times: int) -> bool:
        """Whether the actor solves `instruction` `times` times out of `times`: the selection pass.

        Its samples are the first ones of the tree's first turn: a kept instruction does not pay for them
        twice.
        """
        nodes = await first_samples(self._context(instruction), times)
        return len(nodes) == times and all(node.verdict.label is Label.CORRECT for node in nodes)

    def _context(self, instruction: Instruction) -> Context:
        session = self._sampler.session(instruction)
        return Context(self._config, instruction, session, self._observer, self._prompts, self._cpu)

    def _ended(self, turn: Turn, number: int) -> Ended | None:
        if self._config.growth.stop == "until_solved" and turn.first_correct:
            return "solved"
        if number == self._config.growth.max_turns:
            return "turn_cap"
        if turn.incorrect is not None:
            return None
        return "no_incorrect" if turn.correct is not None else "no_verdict"
