"""The less trodden paths of a tree: the syntax filter, tool rounds, a critic that refuses, a judge."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from tests.builders import Scripted, config, cot, math_cot, math_pot, models, pot
from ultrainteract.config import RunConfig, SandboxConfig
from ultrainteract.errors import ProviderError
from ultrainteract.grading import Graders
from ultrainteract.models import price_of
from ultrainteract.models.base import ChatRequest
from ultrainteract.replay import Ask, Observed, Observer, RecordedSampler
from ultrainteract.sandbox import open_sandbox
from ultrainteract.schema import Action, Instruction, Label, Observation, Task, Tree, TreeState, Verdict
from ultrainteract.store import RunStore
from ultrainteract.tree import Grower
from ultrainteract.tree.environment import Environment

CRITIC = "You added the numbers; read the question again."


class Judging(Observer):
    """Observes without a sandbox: code that holds `42` is proved correct, everything else wrong."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    async def observe(
        self,
        instruction: Instruction,
        cells: Sequence[str],
        actions: Sequence[Action],
        ask: Ask | None = None,
    ) -> list[Observed]:
        return [self._observed(action) for action in actions]

    async def call_tools(
        self, instruction: Instruction, cells: Sequence[str], actions: Sequence[Action]
    ) -> list[str]:
        self.calls += [action.code or "" for action in actions]
        return [f"Page: {len(action.exchanges)}" for action in actions]

    def _observed(self, action: Action) -> Observed:
        right = "42" in (action.code or action.answer or "")
        verdict = Verdict.correct("number") if right else Verdict.wrong("number")
        return Observed(observation=Observation(output="" if action.code else None), verdict=verdict)


@pytest.fixture
async def graders() -> AsyncIterator[Graders]:
    async with Graders() as found:
        yield found


async def grow(
    settings: RunConfig,
    scripted: dict[str, Scripted],
    observer: Observer,
    folder: Path,
    instruction: Instruction,
) -> Tree:
    with RunStore.resume(folder, settings) as store:
        sampler = RecordedSampler(store, scripted, settings, price_of)
        return await Grower(settings, sampler, observer).grow(instruction)


# ---------------------------------------------------------------------------------------- the syntax filter

RIGHT, WRONG, BROKEN = pot("print(6 * 7)  # 42"), pot("print(6 + 7)"), pot("print(6 +")


@pytest.mark.parametrize(
    ("rule", "rejected", "dropped"),
    [("pairs", WRONG, 4), ("all", WRONG, 4), ("off", BROKEN, None)],
)
async def test_code_that_does_not_parse_is_rejected_only_without_the_filter(
    tmp_path: Path, rule: str, rejected: str, dropped: int | None
) -> None:
    """The actor's wrong programs do not parse, the pool's does: with the filter the pool is asked."""
    growth = {"syntax_filter": rule, "max_turns": 1, "waves": "off"}
    scripted = models(actor=[RIGHT, BROKEN], pool=WRONG, critic=CRITIC)
    tree = await grow(config(growth), scripted, Judging(), tmp_path, math_pot())
    turn = tree.turns[0]
    assert turn.paired
    assert turn.incorrect is not None
    assert turn.incorrect.action.raw == rejected
    assert tree.guards.get("syntax_dropped") == dropped
    assert (scripted["pool"].drawn > 0) == (rule != "off")


@pytest.mark.parametrize(("rule", "ended"), [("pairs", "solved"), ("all", "no_verdict")])
async def test_code_that_does_not_parse_can_be_expanded_unless_nothing_of_it_is_kept(
    tmp_path: Path, rule: str, ended: str
) -> None:
    def actor(request: ChatRequest, ordinal: int) -> str:
        return BROKEN if request.purpose.turn == 1 else RIGHT

    growth = {"syntax_filter": rule, "max_turns": 3, "waves": "off"}
    tree = await grow(
        config(growth), models(actor=actor, pool=BROKEN, critic=CRITIC), Judging(), tmp_path, math_pot()
    )
    assert tree.ended == ended
    first = tree.turns[0]
    assert not first.paired
    assert (first.incorrect is not None) == (rule == "pairs")


# ------------------------------------------------------------------------------------ tools within one turn

QUESTION = "Is the Eiffel Tower older than the Paris Métro?"


def search(page: str) -> str:
    return f"<thought>\nStep 1: Look.\n</thought>\n<execute>\nprint(wikipedia_search('{page}'))\n</execute>"


def said(answer: str) -> str:
    return f"<thought>\nStep 2: So it is.\n</thought>\n<solution>\nAnswer: {answer}\n</solution>"


def logic() -> Instruction:
    return Instruction(
        task=Task.LOGIC, dataset="strategyqa", prompt=QUESTION, question=QUESTION, grader="boolean", gold="yes",
        tools=("wikipedia_search",),
    )  # fmt: skip


async def test_tool_calls_within_a_turn_are_answered_until_there_is_an_answer(
    graders: Graders, tmp_path: Path
) -> None:
    def actor(request: ChatRequest, ordinal: int) -> str:
        rounds = sum(message.content.startswith("Out: ") for message in request.messages)
        return search(f"page {rounds}") if rounds < 2 else said("yes" if ordinal == 0 else "no")

    class Answering(Judging):
        async def observe(self, *arguments: object, **options: object) -> list[Observed]:
            actions: Sequence[Action] = arguments[2]  # type: ignore[assignment]
            verdicts = [await graders.grade(logic(), action.answer or "") for action in actions]
            return [Observed(observation=Observation(), verdict=verdict) for verdict in verdicts]

    observer = Answering()
    scripted = models(actor=actor, pool=said("no"), critic=CRITIC)
    tree = await grow(config({"max_turns": 1, "waves": 1}), scripted, observer, tmp_path, logic())
    correct = tree.turns[0].correct
    assert correct is not None
    assert [exchange.output for exchange in correct.action.exchanges] == ["Page: 0", "Page: 1"]
    assert [exchange.code for exchange in correct.action.exchanges] == [
        "print(wikipedia_search('page 0'))", "print(wikipedia_search('page 1'))",
    ]  # fmt: skip
    last = next(
        r for r in scripted["actor"].requests if sum(m.content.startswith("Out: ") for m in r.messages) == 2
    )
    assert [m.content for m in last.messages[-4:]] == [
        search("page 0"), "Out: Page: 0", search("page 1"), "Out: Page: 1",
    ]  # fmt: skip
    assert correct.action.answer == "yes"


async def test_an_actor_that_only_calls_tools_is_stopped(tmp_path: Path) -> None:
    observer = Judging()
    scripted = models(actor=search("again"), pool=said("no"), critic=CRITIC)
    growth = {"max_turns": 1, "waves": "off", "max_tool_rounds": 3}
    ladder = [{"name": "sample", "model": "actor", "samples": 1}]
    tree = await grow(config({**growth, "ladder": ladder}), scripted, observer, tmp_path, logic())
    assert observer.calls == ["print(wikipedia_search('again'))"] * 3
    assert scripted["actor"].drawn == 4
    assert tree.turns[0].correct is None


@pytest.mark.bubblewrap
async def test_tools_are_called_from_the_sandbox_and_their_answers_replayed(
    graders: Graders, tmp_path: Path
) -> None:
    asked: list[str] = []

    async def wikipedia(query: str) -> str:
        asked.append(query)
        return f"Page: {query}\nSummary: It opened in 1900."

    def actor(request: ChatRequest, ordinal: int) -> str:
        seen = request.messages[-1].content
        return said("yes") if "opened in 1900" in seen else search("Paris Métro")

    settings = config({"max_turns": 1, "waves": 1})
    trees = []
    sandbox = open_sandbox(SandboxConfig(kind="bubblewrap", containers=1))
    try:
        await sandbox.start()
        for _ in range(2):
            with RunStore.resume(tmp_path, settings) as store:
                environment = Environment(
                    store, sandbox, graders, settings.sandbox, {"wikipedia_search": wikipedia}
                )
                scripted = models(actor=actor, pool=said("no"), critic=CRITIC)
                sampler = RecordedSampler(store, scripted, settings, price_of)
                trees.append(await Grower(settings, sampler, environment).grow(logic()))
    finally:
        await sandbox.close()
    correct = trees[0].turns[0].correct
    assert correct is not None
    assert correct.action.exchanges[0].output == "Page: Paris Métro\nSummary: It opened in 1900."
    assert trees[0] == trees[1]
    assert asked == ["Paris Métro"], "the second time it is answered from the record"


# --------------------------------------------------------------------------------------- the critic refuses


def refusing(request: ChatRequest, ordinal: int) -> str:
    raise ProviderError("The content policy forbids it.", refused=True)


@pytest.mark.parametrize("critic", [refusing, "", "  \n"], ids=["refusal", "empty", "blank"])
async def test_a_tree_ends_where_the_critic_says_nothing(tmp_path: Path, critic: object) -> None:
    scripted = models(actor=cot("13"), pool=cot("14"), critic=critic)  # type: ignore[arg-type]
    tree = await grow(config({"max_turns": 4}), scripted, Judging(), tmp_path, math_cot())
    assert (tree.ended, tree.depth, tree.state) == ("no_critique", 1, TreeState.UNSOLVED)
    incorrect = tree.turns[0].incorrect
    assert incorrect is not None
    assert incorrect.critique is None
    assert tree.guards.get("request_refused", 0) == (critic is refusing)


# ------------------------------------------------------------------------------------------ the judge


def essay() -> Instruction:
    return Instruction(
        task=Task.CODING, dataset="evol", prompt="Explain it.", question="Explain it.", grader="judge",
        solutions=("It is so because of this.",),
    )  # fmt: skip


def marked(first: str, second: str) -> str:
    return f"Both are read.\nAnswer A: {first}\nAnswer B: {second}"


async def judged(
    folder: Path, graders: Graders, judge: object, **growth: object
) -> tuple[Tree, dict[str, Scripted]]:
    scripted = models(actor="It is so, as was shown.", strong=judge, pool="No.", critic=CRITIC)  # type: ignore[arg-type]
    settings = config({"max_turns": 2, **growth}, judge={"model": "strong"})
    with RunStore.resume(folder, settings) as store:
        environment = Environment(store, None, graders, settings.sandbox)  # type: ignore[arg-type]
        sampler = RecordedSampler(store, scripted, settings, price_of)
        return await Grower(settings, sampler, environment).grow(essay()), scripted


async def test_what_a_judge_accepts_in_both_positions_goes_to_sft_and_never_into_a_pair(
    graders: Graders, tmp_path: Path
) -> None:
    tree, scripted = await judged(tmp_path, graders, marked("acceptable", "acceptable"))
    turn = tree.turns[0]
    assert (tree.state, turn.paired, turn.incorrect) == (TreeState.SFT_ONLY, False, None)
    assert turn.correct is not None
    assert turn.correct.verdict.evidence is not None
    assert turn.correct.verdict.evidence.check == "judge"
    assert not list(tree.pairs())
    roles = {request.purpose.role for request in scripted["strong"].requests}
    assert roles == {"judge"}
    assert scripted["pool"].drawn == 0


async def test_a_judge_that_likes_the_first_of_two_says_nothing(graders: Graders, tmp_path: Path) -> None:
    tree, _ = await judged(tmp_path, graders, marked("acceptable", "not acceptable"))
    assert tree.turns[0].correct is None
    assert tree.turns[0].first_correct is None
    assert tree.turns[0].steps[0].judged == 0
    assert tree.state is TreeState.UNSOLVED


async def test_what_a_judge_refuses_is_neither_rejected_nor_expanded(
    graders: Graders, tmp_path: Path
) -> None:
    tree, _ = await judged(tmp_path, graders, marked("not acceptable", "not acceptable"))
    assert tree.turns[0].incorrect is None
    assert tree.ended == "no_verdict"
    assert tree.turns[0].steps[0].judged == tree.turns[0].steps[0].drawn > 0
    assert all(node.verdict.label is not Label.WRONG for _, node in tree.nodes())
