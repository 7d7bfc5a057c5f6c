"""The reward function: 1, 0 or nothing, by the verdict that a tree would have."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.builders import math_cot
from tests.rewards.problems import CODING, MATH, PROGRAM, RIGHT, SANDBOX, WRONG, Faulty, fenced
from ultrainteract import load_config, reward, reward_async, run
from ultrainteract.dataset.verifiable import packed
from ultrainteract.errors import DataError, GraderError, SandboxError
from ultrainteract.rewards import Attempt, Episode, RewardFunction, Scorer, ScorerConfig
from ultrainteract.rewards.trl import trl_reward
from ultrainteract.rewards.verl import compute_score, compute_scores
from ultrainteract.sandbox.base import Sandbox
from ultrainteract.schema import Instruction, Message, Node
from ultrainteract.tree.context import Context

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def function() -> Iterator[RewardFunction]:
    with RewardFunction(SANDBOX, workers=0) as made:
        yield made


def scorer(**settings: Any) -> Scorer:
    return Scorer(ScorerConfig(**settings), sandbox=Faulty())


# ----------------------------------------------------------------------------------------------- verdicts


def test_answers_in_words_are_right_wrong_or_not_known() -> None:
    said = ["The answer is \\boxed{42}.", "Answer: 41", "I do not know."]
    assert reward(said, [MATH] * 3) == [1.0, 0.0, None]
    assert asyncio.run(reward_async(said, [math_cot()] * 3)) == [1.0, 0.0, None]


def test_a_completion_that_was_cut_off_says_nothing() -> None:
    assert reward(["Answer: 42", "Answer: 41"], [MATH] * 2, finish_reasons=["length", "length"]) == [
        None,
        None,
    ]


def test_reasoning_is_no_part_of_the_answer() -> None:
    assert reward(["<think>It is 41. Answer: 41</think>\nAnswer: 42"], [MATH]) == [1.0]
    assert reward(["<think>Answer: 42"], [MATH]) == [None]  # it never came to an answer


def test_messages_are_completions_too() -> None:
    assert reward([[{"role": "assistant", "content": "Answer: 42"}]], [MATH]) == [1.0]


async def test_a_policy_that_never_answers_can_be_punished() -> None:
    silent, placeholder = (Attempt(problem=MATH, text=text) for text in ("Well.", "Answer: ..."))
    async with scorer() as masking, scorer(unanswered="zero") as punishing:
        assert [score.reward for score in await masking.score([silent, placeholder])] == [None, None]
        assert [score.reward for score in await punishing.score([silent, placeholder])] == [0.0, 0.0]


def test_bad_input_is_said_and_nothing_is_graded() -> None:
    with pytest.raises(DataError, match="2 completions and 1 problems"):
        reward(["a", "b"], [MATH])
    with pytest.raises(DataError, match="no problem of an rl export"):
        reward(["Answer: 42"], ["42"])


async def test_a_fault_is_masked_and_nothing_but_faults_stops_the_training() -> None:
    async with scorer() as one:
        scores = await one.score(
            [Attempt(problem=CODING, text=RIGHT), Attempt(problem=MATH, text="Answer: 42")]
        )
        assert [score.reward for score in scores] == [None, 1.0]
        assert one.counts == {"undetermined": 1, "correct": 1, "fault": 1}
        many = [Attempt(problem=CODING, text=fenced(f"print({number})")) for number in range(8)]
        with pytest.raises(SandboxError, match="All 8 executions of a batch failed"):
            await one.score(many)


async def test_what_misses_the_deadline_has_no_reward() -> None:
    class Slow(Faulty):
        async def run_tests(self, program: str, *_: Any, **__: Any) -> Any:
            await asyncio.Event().wait()

    async with Scorer(ScorerConfig(deadline_s=0.05), sandbox=Slow()) as slow:
        scores = await slow.score(
            [Attempt(problem=CODING, text=RIGHT), Attempt(problem=MATH, text="Answer: 41")]
        )
    assert [score.reward for score in scores] == [None, 0.0]
    assert scores[0].verdict.reason == "the deadline of the batch passed"


@pytest.mark.bubblewrap
def test_programs_are_run_and_tested(function: RewardFunction) -> None:
    texts = [
        fenced("print(6 * 7)"),
        fenced("print(6 + 7)"),
        fenced("while True: pass"),
        RIGHT,
        WRONG,
        "No program.",
    ]
    assert function(texts, [PROGRAM] * 3 + [CODING] * 3) == [1.0, 0.0, None, 1.0, 0.0, None]


@pytest.mark.bubblewrap
def test_a_later_turn_finds_the_notebook_as_the_turns_before_left_it(function: RewardFunction) -> None:
    prompt = [
        {"role": "user", "content": "What is 6 times 7?"},
        {"role": "assistant", "content": fenced("x = 6")},
        {"role": "user", "content": "Your answer is wrong."},
    ]
    texts = [fenced("print(x * 7)")] * 2
    assert function(texts, [PROGRAM] * 2, prompts=[prompt, ""]) == [1.0, 0.0]


# ------------------------------------------------------------------------------------------- as in a tree


@pytest.mark.bubblewrap
@pytest.mark.slow
def test_rewards_are_the_verdicts_of_the_run(
    function: RewardFunction, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1,000 recorded completions of all tasks, first turns and later ones, graded anew."""
    grown: list[tuple[Instruction, tuple[str, ...], Node]] = []
    attempt = Context.attempt

    async def noted(self: Context, *arguments: Any, **more: Any) -> list[Node]:
        nodes = await attempt(self, *arguments, **more)
        said = tuple(
            raw
            for node in self.history
            for raw in (*(exchange.raw for exchange in node.action.exchanges), node.action.raw)
        )
        grown.extend((self.instruction, said, node) for node in nodes if not node.action.exchanges)
        return nodes

    monkeypatch.setattr(Context, "attempt", noted)
    changes = [
        f"output={tmp_path / 'run'}",
        "sandbox.kind=bubblewrap",
        "executor.processes=1",
        "export.formats=[]",
    ]
    run(load_config(ROOT / "configs/demo.yaml", changes), base=ROOT / "configs")
    cut_off = "the answer was cut off at the token cap"
    attempts = [
        Attempt(
            problem=packed(instruction), text=node.action.raw, earlier=said,
            finish_reason="length" if node.verdict.reason == cut_off else "stop",
        )
        for instruction, said, node in grown
    ][:3000]  # fmt: skip
    assert len(attempts) >= 1000
    assert sum(bool(one.earlier) for one in attempts) >= 100
    scores = function.grade(attempts)
    expected = [node.verdict for _, _, node in grown[: len(attempts)]]
    differ = [
        (one.text, wanted, score.verdict)
        for one, wanted, score in zip(attempts, expected, scores, strict=True)
        if score.verdict != wanted
    ]
    assert not differ, differ[:3]
    assert {score.reward for score in scores} >= {0.0, 1.0}


# ------------------------------------------------------------------------------------------ multiple turns


@pytest.mark.bubblewrap
async def test_an_episode_has_the_turns_of_a_tree() -> None:
    async def critic(instruction: Instruction, messages: tuple[Message, ...], node: Node) -> str:
        assert messages[-1].role == "assistant"
        return "It should have been multiplied; the answer is 42."

    async with Scorer(SANDBOX) as one:
        episode = Episode(PROGRAM, one, max_turns=3, critic=critic)
        first = await episode.step(fenced("x = 6\nprint(x + 7)"))
        assert (first.reward, first.done) == (0.0, False)
        assert first.observation.startswith("Out: 13\nYour answer is wrong.\nIt should have been multiplied")
        assert "42" not in first.observation  # the critic gave the answer away
        second = await episode.step(fenced("print(x * 7)"))
        assert (second.reward, second.done, second.ended) == (1.0, True, "solved")
        assert [message.role for message in episode.messages] == ["user", "assistant", "user", "assistant"]
        with pytest.raises(ValueError, match="over"):
            await episode.step("Answer: 42")


async def test_an_episode_ends_at_the_cap_and_where_nothing_is_known() -> None:
    async with scorer() as one:
        capped = Episode(MATH, one, max_turns=2)
        assert (await capped.step("Answer: 1")).observation == "Your answer is wrong."
        last = await capped.step("Answer: 2")
        assert (last.reward, last.done, last.ended) == (0.0, True, "turn_cap")
        lost = await Episode(MATH, one).step("Answer: 4", finish_reason="length")
        assert (lost.reward, lost.done, lost.ended) == (None, True, "undetermined")


@pytest.mark.bubblewrap
async def test_a_tool_call_is_part_of_its_turn() -> None:
    logic = packed(
        Instruction(
            task="Logic", dataset="wikitablequestions", prompt="How many?", question="How many?", grader="text",
            gold="42", tools=("python",),
        )
    )  # fmt: skip
    async with Scorer(SANDBOX) as one:
        episode = Episode(logic, one)
        asked = await episode.step("<execute>\nx = 6 * 7\nprint(x)\n</execute>")
        assert (asked.observation, asked.reward, asked.verdict, asked.done) == ("Out: 42", None, None, False)
        assert (await episode.step("Answer: 42")).ended == "solved"
        assert len(episode.nodes) == 1
        assert episode.nodes[0].action.exchanges[0].output == "42"


# --------------------------------------------------------------------------------------------- processes


def test_a_batch_is_graded_by_several_processes() -> None:
    texts = [f"Answer: {number}" for number in range(200)]
    with RewardFunction(workers=2) as two:
        assert two(texts, [MATH] * 200) == [float(number == 42) for number in range(200)]
        assert two.counts["correct"] + two.counts["wrong"] == 200
        assert len(set(two.pids)) == 2
        assert two.pending == 0
    with pytest.raises(GraderError, match="closed"):
        two(texts[:1], [MATH])


def test_a_process_that_is_killed_is_replaced() -> None:
    import os
    import signal

    with RewardFunction(workers=1) as one:
        assert one(["Answer: 42"], [MATH]) == [1.0]
        [before] = one.pids
        os.kill(before, signal.SIGKILL)
        assert one(["Answer: 41"], [MATH]) == [0.0]
        assert one.pids != [before]


def test_no_more_is_taken_on_than_is_allowed() -> None:
    busiest = 0

    class Counting(Faulty):
        running = 0

        async def run_tests(self, program: str, *_: Any, **__: Any) -> Any:
            nonlocal busiest
            self.running += 1
            busiest = max(busiest, self.running)
            await asyncio.sleep(0)
            self.running -= 1
            return await super().run_tests(program, *_, **__)

    counting: Sandbox = Counting()
    one = RewardFunction(ScorerConfig(max_pending=1), workers=0)
    one.run(_use(one, counting))
    attempts = [Attempt(problem=CODING, text=fenced(f"print({number})")) for number in range(7)]
    assert [score.reward for score in one.grade([*attempts, *attempts])] == [None] * 14
    assert 0 < busiest <= 7
    one.close()


async def _use(function: RewardFunction, sandbox: Sandbox) -> None:
    function._own._sandbox._open = lambda: sandbox


def test_a_reward_function_travels_to_another_process() -> None:
    with RewardFunction(SANDBOX, workers=3) as one:
        copy = pickle.loads(pickle.dumps(one))
    assert (copy.config, copy.workers) == (SANDBOX, 3)


# ---------------------------------------------------------------------------------------------- adapters


def test_trl_calls_it_with_its_columns(function: RewardFunction) -> None:
    logged = {}
    call = trl_reward(function, eos_token_ids=[9])
    rewards = call(
        prompts=[[{"role": "user", "content": "?"}]] * 3,
        completions=[[{"role": "assistant", "content": text}] for text in ("Answer: 42", "Answer: 1", "Answer: 42")],
        completion_ids=[[1, 9], [2, 9], [1, 2]], problem=[MATH] * 3, task=["Math_CoT"] * 3, trainer_state=None,
        log_metric=logged.__setitem__,
    )  # fmt: skip
    assert rewards == [1.0, 0.0, None]  # the last does not end with an end token
    assert logged == {"rewards/verified/undetermined": pytest.approx(1 / 3)}
    with pytest.raises(DataError, match="trl-rl"):
        call(prompts=["?"], completions=["!"])


def test_verl_gets_numbers_at_which_what_is_not_known_moves_nothing(function: RewardFunction) -> None:
    other = packed(math_cot("What is 2 times 3?", "6"))
    texts = ["Answer: 42", "Answer: 1", "Answer: 42", "Hm.", "Hm.", "Answer: 6"]
    infos = [{"problem": MATH, "index": 1}] * 4 + [{"problem": other, "index": 2}] * 2
    found = compute_scores(["gsm8k"] * 6, texts, ["42"] * 6, infos, function=function)
    assert [one["score"] for one in found] == [1.0, 0.0, 1.0, pytest.approx(2 / 3), 1.0, 1.0]
    assert [one["undetermined"] for one in found] == [0, 0, 0, 1, 1, 0]
    with pytest.raises(DataError, match="verl-rl"):
        compute_scores(["gsm8k"], ["Answer: 42"], ["42"], [{}], function=function)


async def test_verl_asks_one_by_one(function: RewardFunction) -> None:
    known = await compute_score("gsm8k", "Answer: 42", "42", {"problem": MATH}, function=function)
    unknown = await compute_score(
        "gsm8k", "Hm.", "42", {"problem": MATH}, undetermined=0.25, function=function
    )
    assert (known["score"], unknown["score"], unknown["undetermined"]) == (1.0, 0.25, 1.0)
