"""A simulated model: no network, no weights, yet every role of the pipeline, for demonstrations and for tests.

It knows nothing but what a request's purpose carries, the instruction with its ground truth, and writes right or wrong
texts from it on purpose. Guarantees: sample k of a request is a pure function of the model's name and options,
the messages, the sampling parameters and k, whatever batch it is drawn in; nothing is executed; everything is
marked as simulated.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from hashlib import blake2b
from random import Random

import orjson
from pydantic import Field, ValidationError

from ultrainteract.config import Fraction, ModelConfig
from ultrainteract.errors import ConfigError, ProviderError
from ultrainteract.models.base import ChatRequest, Completion, FinishReason, Purpose, Reply
from ultrainteract.models.providers import Resources, provider
from ultrainteract.models.simulated.calling import call_functions
from ultrainteract.models.simulated.code import Coding, solve_task
from ultrainteract.models.simulated.critic import comment, judgement
from ultrainteract.models.simulated.format import break_format
from ultrainteract.models.simulated.logic import Reading, search_first, solve_reading
from ultrainteract.models.simulated.math import Mathematics, solve_in_words
from ultrainteract.models.simulated.programs import solve_by_program
from ultrainteract.models.simulated.testgen import test_inputs
from ultrainteract.schema import Instruction, Record, Task, Usage

__all__ = ["SimulatedModel", "SimulationOptions", "pass_rate"]

_REMEMBERED = 256
"""Instructions whose ground truth stays read: more than a run has under way at once, as a rule."""
_CHARACTERS_PER_TOKEN = 4


class SimulationOptions(Record):
    """What a simulated model is like: the `options` of its configuration."""

    skill: Fraction = 0.5
    """0 never solves anything by itself, 1 always does; at 0.5 pass rates over instructions follow Beta(0.7, 1)."""
    beyond: Fraction = 0.0
    """Share of instructions that it never solves by itself, whatever its skill; nested between models."""
    feedback_gain: Fraction = 0.3
    """How much each turn of feedback helps: 0 not at all, 1 the next attempt is right."""
    guided_accuracy: Fraction = 0.9
    """Share of right actions where it is shown the ground truth."""
    reference_rate: Fraction = 0.05
    """Share of guided actions that speak of what they were shown."""
    leak_rate: Fraction = 0.1
    """Share of critiques that give the gold answer away; a quarter of it when asked again."""
    truncate_rate: Fraction = 0.02
    """Share of actions that are cut off at the token cap."""
    format_break_rate: Fraction = 0.03
    """Share of actions with a slip of format."""
    search_rate: Fraction = 0.0
    """Share of attempts that begin with a Wikipedia search, where that tool is on offer."""
    latency_s: float = Field(default=0.0, ge=0, le=600)
    """Seconds a request takes."""


class SimulatedModel:
    """A `ChatModel` that simulates one.

    Args:
        name: Name in the configuration.
        config: Its configuration; `options` are those of `SimulationOptions`.

    Raises:
        ConfigError: An option is unknown or out of range.
    """

    provider = "simulated"
    simulated = True

    def __init__(self, name: str, config: ModelConfig) -> None:
        self.name = name
        self.model = config.model
        self.options = _read_options(name, config)
        self._identity = [config.model, self.options.model_dump(exclude={"latency_s"})]

    async def sample(self, request: ChatRequest) -> Reply:
        """Draws `request.n` completions.

        Raises:
            ProviderError: The request's purpose carries no instruction to write about.
        """
        if self.options.latency_s:
            await asyncio.sleep(self.options.latency_s)
        messages = [(message.role, message.content) for message in request.messages]
        key = orjson.dumps([self._identity, messages, request.sampling.model_dump()])
        digest = blake2b(key, digest_size=16).digest()
        completions = tuple(
            self._complete(request, Random(digest + ordinal.to_bytes(8, "big")))
            for ordinal in range(request.first, request.first + request.n)
        )
        usage = Usage(
            prompt_tokens=sum(_tokens(content) + 4 for _, content in messages),
            completion_tokens=sum(completion.tokens for completion in completions),
        )
        return Reply(completions=completions, usage=usage)

    async def close(self) -> None:
        """Nothing to close."""

    def _complete(self, request: ChatRequest, rng: Random) -> Completion:
        text, cut = self._write(request, rng)
        finish: FinishReason = "stop"
        most = request.sampling.max_tokens * _CHARACTERS_PER_TOKEN
        if cut:
            most = min(most, int(len(text) * rng.uniform(0.2, 0.8)))
        if len(text) > most:
            text, finish = text[:most], "length"
        return Completion(text=text, finish_reason=finish, tokens=_tokens(text))

    def _write(self, request: ChatRequest, rng: Random) -> tuple[str, bool]:
        """A text, and whether it is to be cut off."""
        options, purpose = self.options, request.purpose
        if purpose.role == "judge":
            return judgement(request.messages, purpose.instruction), False
        instruction = purpose.instruction
        if instruction is None:
            raise ProviderError(
                f"Model '{self.name}' is simulated and can only answer requests about an instruction, which this "
                f"request of role '{purpose.role}' has not. Use another model for this role.",
                fatal=True,
            )
        if purpose.role == "critic":
            rate = options.leak_rate * (0.25 if purpose.form == "again" else 1)
            known = _read(instruction)
            mathematics = known if isinstance(known, Mathematics) else None
            return comment(request.messages, instruction, mathematics, rng, leaks=rng.random() < rate), False
        if purpose.role == "testgen":
            return test_inputs(request.messages, instruction, rng), False
        if purpose.role == "guided":
            text = self._act(instruction, purpose, rng, right=rng.random() < options.guided_accuracy)
            if rng.random() < options.reference_rate:
                text = text.replace("Step 2: ", "Step 2: As the reference solution shows, ", 1)
        elif instruction.functions:
            right = rng.random() < pass_rate(options, instruction, purpose.turn)
            text = call_functions(instruction, request.messages, rng, right=right)
        else:
            known = _read(instruction)
            if isinstance(known, Reading) and known.searches and rng.random() < options.search_rate:
                last = request.messages[-1]
                if not (last.content.startswith("Out: ") and "Your answer is" not in last.content):
                    return search_first(known, rng), False
            text = self._act(
                instruction, purpose, rng, right=rng.random() < pass_rate(options, instruction, purpose.turn)
            )
        if rng.random() < options.format_break_rate:
            text = break_format(text, rng)
        return text, rng.random() < options.truncate_rate

    def _act(self, instruction: Instruction, purpose: Purpose, rng: Random, *, right: bool) -> str:
        known = _read(instruction)
        schema = purpose.reasoning_schema
        match known:
            case Mathematics() if instruction.task.kind is Task.MATH_COT:
                return solve_in_words(known, rng, right)
            case Mathematics():
                return solve_by_program(known, rng, right, schema, purpose.form)
            case Coding():
                return solve_task(known, rng, right, "modular" if purpose.form == "refine" else schema)
        return solve_reading(known, rng, right)


@provider("simulated")
def _open(name: str, config: ModelConfig, resources: Resources) -> SimulatedModel:
    return SimulatedModel(name, config)


_known: OrderedDict[tuple[str, ...], Mathematics | Coding | Reading] = OrderedDict()
"""Ground truths that were read lately; shared by all simulated models, since reading them is a pure function."""


def _read(instruction: Instruction) -> Mathematics | Coding | Reading:
    """The instruction's ground truth, read once while it is in use."""
    key = (instruction.id, *instruction.rationales, *instruction.solutions)
    known = _known.get(key)
    if known is not None:
        _known.move_to_end(key)
        return known
    match instruction.task.kind:
        case Task.CODING:
            known = Coding(instruction)
        case Task.LOGIC:
            known = Reading(instruction)
        case _:
            known = Mathematics(instruction)
    _known[key] = known
    if len(_known) > _REMEMBERED:
        _known.popitem(last=False)
    return known


def pass_rate(options: SimulationOptions, instruction: Instruction, turn: int = 1) -> float:
    """How often a simulated actor solves an instruction at a turn.

    Every instruction has a latent difficulty, drawn from Beta(0.7, 1) by its id and shared by all models: a more
    skilful one, or one with feedback, solves every instruction at least as often.
    """
    latent = Random(f"difficulty {instruction.id}")
    easy, beyond = latent.betavariate(0.7, 1.0), latent.random()
    if beyond < options.beyond or options.skill == 0:
        return 0.0
    exponent = (1 - options.skill) / options.skill * (1 - options.feedback_gain) ** (turn - 1)
    return float(easy**exponent)


def _read_options(name: str, config: ModelConfig) -> SimulationOptions:
    try:
        return SimulationOptions.model_validate(config.options)
    except ValidationError as error:
        known = ", ".join(SimulationOptions.model_fields)
        lines = [
            f"  models.{name}.options.{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()
        ]
        raise ConfigError(
            f"Options of the simulated model '{name}' cannot be used:\n"
            + "\n".join(lines)
            + f"\nThere are: {known}."
        ) from error


def _tokens(text: str) -> int:
    return max(1, (len(text) + _CHARACTERS_PER_TOKEN - 1) // _CHARACTERS_PER_TOKEN)
