"""How a tree grows: the ladder, the pool, waves, stops, filters, guards; scripted models, the real graders."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.builders import Scripted, config, cot, cycle, math_cot, math_pot, models, pot
from ultrainteract.config import RunConfig
from ultrainteract.grading import Graders
from ultrainteract.models import price_of
from ultrainteract.models.base import ChatRequest, Completion
from ultrainteract.prompts import Prompts
from ultrainteract.replay import Observed, RecordedSampler
from ultrainteract.schema import Instruction, Label, Observation, Tree, TreeState, Verdict
from ultrainteract.store import RunStore
from ultrainteract.tree import Grower
from ultrainteract.tree.context import Context
from ultrainteract.tree.cpu import CPUQueue
from ultrainteract.tree.environment import Environment

RIGHT, WRONG = cot("42"), cot("13", "Step 1: Add them.")
CRITIC = "You added the numbers; read the question again."


@pytest.fixture
async def graders() -> AsyncIterator[Graders]:
    async with Graders() as found:
        yield found


async def grow(
    settings: RunConfig,
    scripted: dict[str, Scripted],
    graders: Graders,
    folder: Path,
    instruction: Instruction | None = None,
) -> Tree:
    with RunStore.resume(folder, settings) as store:
        calls = RecordedSampler(store, scripted, settings, price_of)
        environment = Environment(store, None, graders, settings.sandbox)  # type: ignore[arg-type]
        return await Grower(settings, calls, environment).grow(instruction or math_cot())


def labels(tree: Tree) -> list[tuple[bool, bool, bool]]:
    return [(turn.correct is not None, turn.incorrect is not None, turn.paired) for turn in tree.turns]


async def test_a_solved_turn_ends_the_tree_with_its_pair(graders: Graders, tmp_path: Path) -> None:
    scripted = models(actor=[RIGHT, WRONG], pool=WRONG, critic=CRITIC)
    tree = await grow(config(), scripted, graders, tmp_path)
    assert (tree.ended, tree.state, labels(tree)) == ("solved", TreeState.COMPLETE, [(True, True, True)])
    assert tree.turns[0].incorrect is not None
    assert tree.turns[0].incorrect.provenance.model == "actor"
    assert tree.turns[0].pass_rate == 0.5
    assert scripted["pool"].drawn == 0
    assert scripted["critic"].drawn == 0, "a leaf is not expanded, so nobody comments on it"


async def test_the_wrong_action_is_expanded_with_feedback_until_solved(
    graders: Graders, tmp_path: Path
) -> None:
    def actor(request: ChatRequest, ordinal: int) -> str:
        return RIGHT if request.purpose.turn == 3 and ordinal == 0 else WRONG

    scripted = models(actor=actor, pool=WRONG, critic=CRITIC)
    tree = await grow(config(), scripted, graders, tmp_path)
    assert (tree.ended, tree.depth) == ("solved", 3)
    assert labels(tree) == [(False, True, False), (False, True, False), (True, True, True)]
    last = scripted["actor"].requests[-1].messages
    assert [m.role for m in last[-4:]] == ["assistant", "user", "assistant", "user"]
    assert last[-1].content == f"Your answer is wrong.\n{CRITIC}"
    assert last[-2].content == WRONG, "the model sees its own words, not the published rendering"


async def test_full_trees_go_on_after_a_solved_turn(graders: Graders, tmp_path: Path) -> None:
    scripted = models(actor=[RIGHT, WRONG], pool=WRONG, critic=CRITIC)
    tree = await grow(config({"stop": "full", "max_turns": 4}), scripted, graders, tmp_path)
    assert (tree.ended, labels(tree)) == ("turn_cap", [(True, True, True)] * 4)
    assert [turn.incorrect.critique is not None for turn in tree.turns if turn.incorrect] == [
        True,
        True,
        True,
        False,
    ]


async def test_an_easy_instruction_without_a_wrong_action_makes_sft_only(
    graders: Graders, tmp_path: Path
) -> None:
    scripted = models(actor=RIGHT, pool=cot("42", "Step 1: Know it."), critic=CRITIC)
    tree = await grow(config({"stop": "full"}), scripted, graders, tmp_path)
    assert (tree.ended, tree.state) == ("no_incorrect", TreeState.SFT_ONLY)
    assert scripted["pool"].drawn == 8


async def test_waves_stop_as_soon_as_the_turn_has_what_it_needs(graders: Graders, tmp_path: Path) -> None:
    ladder = [{"name": "sample", "model": "actor", "samples": 20}]

    def actor(request: ChatRequest, ordinal: int) -> str:
        return RIGHT if ordinal == 5 else WRONG

    for waves, drawn in ((4, 8), (1, 6), ("off", 20)):
        scripted = models(actor=actor, pool=WRONG, critic=CRITIC)
        settings = config({"ladder": ladder, "waves": waves, "max_turns": 1})
        tree = await grow(settings, scripted, graders, tmp_path / str(waves))
        assert scripted["actor"].drawn == drawn
        assert tree.turns[0].steps[0].drawn == drawn
        assert tree.turns[0].correct is not None


async def test_the_ladder_climbs_to_stronger_models_and_the_guided_step(
    graders: Graders, tmp_path: Path
) -> None:
    ladder = [
        {"name": "sample", "model": "actor", "samples": 4},
        {"name": "stronger", "model": "strong", "samples": 4},
        {"name": "guided", "model": "strong", "samples": 4, "guided": True},
    ]

    def strong(request: ChatRequest, ordinal: int) -> str:
        if request.purpose.role != "guided":
            return WRONG
        shown = request.messages[-1].content + request.messages[0].content
        assert "<mask>" in shown, "the rationale is masked"
        assert "= 42" not in shown
        return cot("42", "Step 1: As the reference solution says.") if ordinal < 2 else RIGHT

    scripted = models(actor=WRONG, strong=strong, pool=WRONG, critic=CRITIC)
    instruction = math_cot(rationales=("6 * 7 = 42.",))
    tree = await grow(config({"ladder": ladder, "max_turns": 1}), scripted, graders, tmp_path, instruction)
    correct = tree.turns[0].correct
    assert correct is not None
    assert correct.provenance.step == "guided"
    assert "reference" not in correct.action.text
    assert tree.guards["guided_refused"] == 2
    assert tree.hard
    assert [step.step for step in tree.turns[0].steps] == ["sample", "stronger", "guided"]


async def test_a_step_is_guided_by_what_it_declares_not_by_its_name(graders: Graders, tmp_path: Path) -> None:
    scripted = models(actor=RIGHT, strong=RIGHT, pool=WRONG, critic=CRITIC)
    instruction = math_cot(rationales=("6 * 7 = 42.",))
    unguided = {"name": "guided by nobody", "model": "actor", "samples": 4}
    tree = await grow(
        config({"ladder": [unguided], "max_turns": 1}), scripted, graders, tmp_path / "a", instruction
    )
    assert not tree.hard
    scripted = models(actor=WRONG, strong=RIGHT, pool=WRONG, critic=CRITIC)
    ladder = [
        {"name": "sample", "model": "actor", "samples": 4},
        {"name": "with a hint", "model": "strong", "samples": 4, "guided": True},
    ]
    tree = await grow(
        config({"ladder": ladder, "max_turns": 1}), scripted, graders, tmp_path / "b", instruction
    )
    assert tree.hard
    assert type(tree).model_validate_json(tree.model_dump_json()).hard
    usual = [ladder[0], {**ladder[1], "name": "guided"}]
    tree = await grow(
        config({"ladder": usual, "max_turns": 1}), scripted, graders, tmp_path / "c", instruction
    )
    assert '"guided":' not in tree.turns[0].steps[1].model_dump_json(), "stored as it always was"


async def test_without_a_rationale_there_is_no_guided_step(graders: Graders, tmp_path: Path) -> None:
    ladder = [
        {"name": "sample", "model": "actor", "samples": 4},
        {"name": "guided", "model": "strong", "samples": 4, "guided": True},
    ]
    scripted = models(actor=WRONG, strong=RIGHT, pool=WRONG, critic=CRITIC)
    tree = await grow(config({"ladder": ladder, "max_turns": 2}), scripted, graders, tmp_path)
    assert scripted["strong"].drawn == 0
    assert tree.state is TreeState.UNSOLVED
    assert tree.depth == 2, "the tree goes on from the incorrect action"


async def test_hard_instructions_get_a_pair_for_each_further_ground_truth(
    graders: Graders, tmp_path: Path
) -> None:
    ladder = [
        {"name": "sample", "model": "actor", "samples": 8},
        {"name": "guided", "model": "strong", "samples": 4, "guided": True},
    ]

    def strong(request: ChatRequest, ordinal: int) -> str:
        shown = "\n".join(m.content for m in request.messages)
        return cot(
            "42",
            f"Step 1: way {next(word for word in ('alpha', 'beta', 'gamma') if word in shown)} {ordinal}.",
        )

    scripted = models(
        actor=lambda request, ordinal: cot("13", f"Step 1: guess {ordinal}."),
        strong=strong,
        pool=WRONG,
        critic=CRITIC,
    )
    instruction = math_cot(rationales=("alpha: 6 * 7 = 42.", "beta: 7 * 6 = 42.", "gamma: 21 * 2 = 42."))
    tree = await grow(config({"ladder": ladder, "max_turns": 3}), scripted, graders, tmp_path, instruction)
    assert [len(turn.extra) for turn in tree.turns] == [2, 0, 0]
    pairs = [pair for _, pair in tree.pairs() if _ == 1]
    assert len({pair.chosen.action.text.split()[3] for pair in pairs}) == 3
    assert len({pair.rejected.action.text for pair in pairs}) == 3, "each has its own partner"


@pytest.mark.parametrize(
    ("policy", "source"), [("pool", "pool"), ("actor", "actor"), ("actor_then_pool", "actor")]
)
async def test_where_the_rejected_action_comes_from(
    policy: str, source: str, graders: Graders, tmp_path: Path
) -> None:
    scripted = models(actor=[RIGHT, WRONG], pool=cot("7", "Step 1: Guess."), critic=CRITIC)
    tree = await grow(config({"rejected_from": policy}), scripted, graders, tmp_path)
    assert tree.turns[0].incorrect is not None
    assert tree.turns[0].incorrect.provenance.model == source


class CaseMatters(Environment):
    """Judges programs by their text: what they print is compared letter by letter, as tests do."""

    async def observe(self, *arguments: Any, **options: Any) -> list[Observed]:
        verdicts = [
            Verdict.correct("tests") if "'Yes'" in action.code else Verdict.wrong("tests")
            for action in arguments[2]
        ]
        return [Observed(observation=Observation(output=""), verdict=verdict) for verdict in verdicts]


async def test_chosen_and_rejected_never_differ_in_looks_alone(graders: Graders, tmp_path: Path) -> None:
    """A program that differs from the correct one in case alone is wrong, but makes no pair with it."""
    settings = config({"max_turns": 1})
    pool = pot("print('No')")
    scripted = models(actor=[pot("print('Yes')"), pot("print('yes')")], pool=pool, critic=CRITIC)
    with RunStore.resume(tmp_path, settings) as store:
        calls = RecordedSampler(store, scripted, settings, price_of)
        observer = CaseMatters(store, None, graders, settings.sandbox)  # type: ignore[arg-type]
        (turn,) = (tree := await Grower(settings, calls, observer).grow(math_pot())).turns
    assert turn.steps[0].judged > turn.steps[0].correct > 0, "the look-alike is proved wrong"
    assert turn.paired
    assert turn.incorrect is not None
    assert turn.incorrect.action.raw == pool
    assert tree.guards["equal_pair"] >= turn.steps[0].judged - turn.steps[0].correct


async def test_a_truncated_answer_is_neither_right_nor_wrong(graders: Graders, tmp_path: Path) -> None:
    cut = Completion(text=cot("13"), finish_reason="length", tokens=10)

    def actor(request: ChatRequest, ordinal: int) -> str | Completion:
        return cut if ordinal == 0 else RIGHT

    scripted = models(actor=actor, pool=WRONG, critic=CRITIC)
    tree = await grow(config({"max_turns": 1}), scripted, graders, tmp_path)
    assert tree.guards["truncated"] == 1
    assert tree.turns[0].first_correct is None
    assert all(
        node.action.raw != cut.text or node.verdict.label is not Label.WRONG for _, node in tree.nodes()
    )
    assert tree.turns[0].steps[0].judged == tree.turns[0].steps[0].drawn - 1


async def test_a_leaking_critique_is_asked_for_again_then_redacted(graders: Graders, tmp_path: Path) -> None:
    answers = {0: "The correct answer is 42.", 1: "As I said, the answer is 42, not 13."}

    def critic(request: ChatRequest, ordinal: int) -> str:
        return answers[len(request.messages) > 3] if request.purpose.form != "again" else answers[1]

    scripted = models(actor=WRONG, pool=WRONG, critic=critic)
    tree = await grow(config({"max_turns": 2}), scripted, graders, tmp_path)
    critique = tree.turns[0].incorrect.critique if tree.turns[0].incorrect else None
    assert critique is not None
    assert critique.guard == "redacted"
    assert "42" not in critique.text
    assert tree.guards["critique_asked_again"] == tree.guards["critique_redacted"] == 1


async def test_early_escalation_gives_up_a_hopeless_step(graders: Graders, tmp_path: Path) -> None:
    ladder = [
        {"name": "sample", "model": "actor", "samples": 20},
        {"name": "stronger", "model": "strong", "samples": 4},
    ]
    growth = {"ladder": ladder, "max_turns": 1, "early_escalation": {"target_rate": 0.25, "confidence": 0.9}}
    scripted = models(actor=WRONG, strong=RIGHT, pool=WRONG, critic=CRITIC)
    await grow(config(growth), scripted, graders, tmp_path)
    assert scripted["actor"].drawn == 12, "0.75 ** 9 < 0.1, rounded up to whole waves"


async def test_growing_again_draws_nothing_and_gives_the_same_tree(graders: Graders, tmp_path: Path) -> None:
    def scripted() -> dict[str, Scripted]:
        return models(actor=[WRONG, WRONG, RIGHT], pool=WRONG, critic=CRITIC)

    settings = config({"stop": "full", "max_turns": 3})
    first = await grow(settings, scripted(), graders, tmp_path)
    silent = scripted()
    assert await grow(settings, silent, graders, tmp_path) == first
    assert sum(model.drawn for model in silent.values()) == 0


async def test_schemas_are_drawn_for_code_and_not_without_it() -> None:
    settings = config()

    def drawn(make: Any) -> set[str]:
        contexts = (Context(settings, make(f"q{n}"), None, None, Prompts(), CPUQueue()) for n in range(40))  # type: ignore[arg-type]
        return {context.schema() for context in contexts}

    assert drawn(math_cot) == {"cot"}
    assert drawn(math_pot) == {"cot", "modular"}


async def test_the_tree_keeps_why_samples_got_no_verdict_and_one_of_them(
    graders: Graders, tmp_path: Path
) -> None:
    cut = Completion(text="Step 1: On and on", finish_reason="length", tokens=10)
    scripted = models(actor=cycle(RIGHT, WRONG), pool=WRONG, critic=CRITIC)
    scripted["actor"].answer = lambda request, ordinal: [
        cut,
        "I like trains.",
        cut,
        "Who knows?",
        RIGHT,
        WRONG,
    ][ordinal % 6]
    settings = config(growth={"ladder": [{"name": "sample", "model": "actor", "samples": 6}], "waves": "off"})
    tree = await grow(settings, scripted, graders, tmp_path)
    (step,) = tree.turns[0].steps
    assert (step.drawn, step.judged) == (6, 2)
    assert step.undetermined == {"no final answer was found": 2, "the answer was cut off at the token cap": 2}
    assert step.example == "the answer was cut off at the token cap | Step 1: On and on"
