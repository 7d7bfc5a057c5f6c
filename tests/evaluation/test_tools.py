"""What is made of evaluations: comparison, best of n with a reward model, pairwise accuracy, bridges, MINT's files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.builders import Scripted, config
from tests.evaluation.helpers import configured, evaluated, items_of, knowing, stated
from ultrainteract import api
from ultrainteract.config import SeedConfig, load_config
from ultrainteract.errors import DataError, StoreError
from ultrainteract.evaluation.bridges import failures
from ultrainteract.evaluation.rewards import Messages, section_scores
from ultrainteract.models.base import ChatRequest
from ultrainteract.schema import Backend, EvaluatedItem, Function, Instruction, Message, Rollout, Task
from ultrainteract.seeds.loading import SeedIssue, load_seed, stream_instructions


class Longest:
    """A reward model that prefers long answers, and has no score for those beyond a length."""

    def __init__(self, longest: int = 1000) -> None:
        self.longest = longest

    def score(self, conversations: Sequence[tuple[Messages, Messages]]) -> list[float | None]:
        lengths = [sum(len(turn["content"]) for turn in answer) for _, answer in conversations]
        return [float(length) if length <= self.longest else None for length in lengths]


def sampled(folder: Path, right: set[int], n: int = 4, limit: int = 6) -> None:
    """An evaluation in which the samples of these ordinals are right, and the longer the later."""
    settings = configured(
        folder, "svamp", tasks=("Math_CoT",), limit=limit, rollout={"samples": n}, name=folder.name
    )
    golds = {item.prompt: stated(item) for item in items_of(settings)}

    def answer(request: ChatRequest, ordinal: int) -> str:
        text = golds[request.messages[-1].content] if ordinal in right else f"Answer: {9000 + ordinal // 3}"
        return "So.\n" * ordinal + text

    evaluated(settings, Scripted("actor", answer))


def test_two_evaluations_are_compared_on_the_same_items(tmp_path: Path) -> None:
    for name, shift in (("base", 1), ("tuned", 0)):
        settings = configured(tmp_path / name, "svamp", tasks=("Math_CoT",), limit=12, name=name)
        evaluated(settings, knowing(items_of(settings), shift))
    found = api.compare_evaluations(tmp_path / "base", tmp_path / "tuned")
    first, second = found.rows
    assert first.against_first is None
    assert second.against_first is not None
    assert second.against_first.items == 12
    assert second.against_first.only_first == 0
    assert second.against_first.difference > 0.8
    assert second.against_first.p_value is not None
    assert second.against_first.p_value < 0.01


def test_a_report_is_written_in_every_form(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from ultrainteract.cli.views.evaluation import rendered

    for name in ("a", "b"):
        settings = configured(
            tmp_path / name, "svamp", tasks=("Math_CoT",), limit=3, name=name,
            rollout={"protocol": "rollout", "max_turns": 3},
        )  # fmt: skip
        evaluated(settings, Scripted("actor", lambda request, ordinal: "Answer: 51"))
    found = api.compare_evaluations(tmp_path / "a", tmp_path / "b")
    assert json.loads(rendered(found, "json"))["rows"][1]["evaluation"] == "b"
    text = rendered(found, "markdown")
    assert "| b | svamp | Math_CoT | rollout, feedback binary | 3 |" in text
    assert "success by turn, a: svamp Math_CoT (cumulative in one rollout): 1: 33.3" in text
    page = rendered(found, "html")
    assert page.count("data:image/svg+xml;base64,") == 1
    assert page == rendered(found, "html")


def test_different_protocols_are_not_tested_against_each_other(tmp_path: Path) -> None:
    for name in ("rollout", "mint"):
        settings = configured(
            tmp_path / name, "svamp", tasks=("Math_CoT",), limit=2, name=name,
            rollout={"protocol": name, "max_turns": 2},
        )  # fmt: skip
        evaluated(settings, Scripted("actor", lambda request, ordinal: "<solution>51</solution>"))
    rows = api.compare_evaluations(tmp_path / "rollout", tmp_path / "mint").rows
    assert rows[1].against_first is None
    assert rows[1].note == "protocols differ: rollout and mint"


def test_best_of_n_from_the_same_samples(tmp_path: Path) -> None:
    """One of four samples is right, and it is the longest: the reward model finds it, the majority does not."""
    sampled(tmp_path / "run", right={3})
    rows = {(row.rule, row.n): row.share.value for row in api.best_of_n(tmp_path / "run", Longest())}
    assert rows["oracle", 4] == rows["reward", 4] == 1.0
    assert rows["reward", 2] == rows["oracle", 2] == 0.5
    assert rows["random", 4] == 0.25
    assert rows["majority", 4] == 0.0
    assert ("most_probable", 4) not in rows
    report = api.evaluation_report(tmp_path / "run")
    assert {k: found.value for k, found in report.benchmarks[0].pass_at.items()} == {1: 0.25, 2: 0.5, 4: 1.0}
    assert report.benchmarks[0].by_sample == (0.0, 0.0, 0.0, 1.0)


def test_pairwise_accuracy_by_subset_and_section(tmp_path: Path) -> None:
    rows = [
        {"prompt": "Q", "chosen": "long answer", "rejected": "short", "subset": "math-prm"},
        {"prompt": "Q", "chosen": "no", "rejected": "a longer one", "subset": "hep-go"},
        {"prompt": [{"role": "user", "content": "Q"}], "chosen": [{"role": "assistant", "content": "abc"}],
         "rejected": [{"role": "assistant", "content": "xyz"}], "subset": "donotanswer"},
        {"chosen": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "abcd"}],
         "rejected": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "x"}], "subset": "mt-bench-hard"},
        {"prompt": "Q", "chosen": "only one"},
    ]  # fmt: skip
    file = tmp_path / "pairs.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    found = api.pairwise_accuracy(Longest(), file)
    assert (found.pairs, found.unusable) == (4, 1)
    assert {row.name: (row.accuracy.value, row.ties) for row in found.subsets} == {
        "donotanswer": (0.0, 1), "hep-go": (0.0, 0), "math-prm": (1.0, 0), "mt-bench-hard": (1.0, 0),
    }  # fmt: skip
    assert found.sections == {
        "Chat Hard": 1.0,
        "Safety": 0.0,
        "Reasoning": pytest.approx(984 / (984 + 164)),
    }
    assert found.score is None
    short = api.pairwise_accuracy(Longest(longest=6), file)
    assert (short.pairs, short.unusable) == (2, 3)
    file.write_text(json.dumps(rows[-1]))
    with pytest.raises(DataError, match="no row is a pair"):
        api.pairwise_accuracy(Longest(), file)


def test_published_subset_accuracies_give_the_published_section() -> None:
    """Weights: code subsets count 164 each and mathematics 984, whatever the number of rows at hand."""
    even = dict.fromkeys(("hep-cpp", "hep-go", "hep-java", "hep-js", "hep-python", "hep-rust"), (0.9, 1))
    assert section_scores(even | {"math-prm": (0.7, 447)}) == {"Reasoning": pytest.approx(0.8)}


@pytest.mark.bubblewrap
def test_samples_for_evalplus_define_what_is_asked_for(tmp_path: Path) -> None:
    settings = configured(tmp_path / "run", "humaneval")
    items = items_of(settings)
    evaluated(settings, knowing(items))
    assert api.export_samples(tmp_path / "run", "evalplus", tmp_path / "samples.jsonl") == len(items)
    for line in (tmp_path / "samples.jsonl").read_text().splitlines():
        row = json.loads(line)
        assert row["task_id"].startswith("HumanEval/")
        scope: dict[str, object] = {}
        exec(row["solution"], scope)  # canonical programs of the benchmark
        assert any(callable(value) for value in scope.values())


def test_pairs_with_tools_are_left_out_and_named(tmp_path: Path) -> None:
    """A conversation with calls is never scored as its JSON text, as `None` or as its parts."""
    call = [{"role": "assistant", "content": None, "tool_calls": [{"type": "function"}]}]
    plain = [{"role": "assistant", "content": "abc"}]
    parts = [{"role": "assistant", "content": [{"type": "text", "text": "abc"}]}]
    odd = [
        {"prompt": "Q", "chosen": json.dumps(call), "rejected": json.dumps(plain)},
        {"prompt": "Q", "chosen": call, "rejected": plain},
        {"prompt": "Q", "chosen": plain, "rejected": [{"role": "assistant", "content": None}]},
        {"prompt": "Q", "chosen": parts, "rejected": plain},
        {"prompt": [{"role": "tool", "content": "4"}], "chosen": plain, "rejected": plain},
        {"prompt": "Q", "chosen": "long answer", "rejected": "short", "tools": '[{"type": "function"}]'},
        {"prompt": "Q", "chosen": {"from": "gpt", "value": "a"}, "rejected": {"from": "gpt", "value": "b"}},
        {"prompt": "Q", "chosen": "a", "rejected": "b", "subset": ["x"]},
    ]
    file = tmp_path / "pairs.jsonl"
    file.write_text("\n".join(map(json.dumps, odd)))
    with pytest.raises(DataError, match=r"calls of functions.*\(first: .*pairs\.jsonl:1\)"):
        api.pairwise_accuracy(Longest(), file)
    good = {
        "prompt": json.dumps([{"role": "user", "content": "Q"}]),
        "chosen": json.dumps(plain),
        "rejected": "[{x",
    }
    file.write_text("\n".join(map(json.dumps, [*odd, good])))
    found = api.pairwise_accuracy(Longest(), file)
    assert (found.pairs, found.unusable, found.accuracy.value) == (1, len(odd), 0.0)
    assert found.subsets[0].ties == 1
    assert sum(found.reasons.values()) == len(odd)


def test_samples_for_reward_models_and_lm_eval(tmp_path: Path) -> None:
    sampled(tmp_path / "run", right={1, 3}, limit=3)
    assert api.export_samples(tmp_path / "run", "rewardbench", tmp_path / "pairs.jsonl") == 6
    pair = json.loads((tmp_path / "pairs.jsonl").read_text().splitlines()[0])
    for side in ("chosen", "rejected"):  # RewardBench takes the prompt from all messages but the last
        assert [message["role"] for message in pair[side]] == ["user", "assistant"]
        assert pair[side][0]["content"] == pair["prompt"]
    found = api.pairwise_accuracy(Longest(), tmp_path / "pairs.jsonl")
    assert found.pairs == 6
    assert found.subsets[0].name == "svamp-math_cot"
    assert api.export_samples(tmp_path / "run", "lm-eval", tmp_path / "log.jsonl") == 3
    row = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[0])
    assert len(row["resps"][0]) == 4
    assert row["target"]


def test_failures_become_seeds_unless_they_are_test_items(tmp_path: Path) -> None:
    rows = [{"question": f"What is {n} plus {n}?", "answer": str(2 * n)} for n in range(4)]
    (tmp_path / "own.jsonl").write_text("\n".join(map(json.dumps, rows)))
    own = {
        "dataset": "generic", "path": str(tmp_path / "own.jsonl"), "name": "own", "tasks": ["Math_CoT"],
        "grader": "math", "mapping": {"question": "question", "gold": "answer"}, "split": "validation",
    }  # fmt: skip
    settings = configured(tmp_path / "run", "svamp", tasks=("Math_CoT",))
    settings = type(settings).model_validate(
        settings.model_dump() | {"benchmarks": [own, settings.benchmarks[0].model_dump()]}
    )
    evaluated(settings, Scripted("actor", lambda request, ordinal: "Answer: 4"))
    api.export_samples(tmp_path / "run", "failures", tmp_path / "failures.jsonl")
    text = "seeds:\n  - {from_eval: failures.jsonl}\nmodels: {m: {provider: simulated, model: m}}\n"
    text += "growth: {ladder: [{name: s, model: m}]}\ncritic: {model: m}\n"
    (tmp_path / "next.yaml").write_text(text)
    stream = list(stream_instructions(load_config(tmp_path / "next.yaml"), tmp_path))
    kept = [item for item in stream if isinstance(item, Instruction)]
    assert sorted(item.question for item in kept) == [f"What is {n} plus {n}?" for n in (0, 1, 3)]
    refused = [item.reason for item in stream if isinstance(item, SeedIssue)]
    assert len(refused) >= 20
    assert set(refused) == {"a test item of svamp: a model that was trained on it cannot be evaluated on it"}


def test_a_failure_is_carried_whole(tmp_path: Path) -> None:
    item = Instruction(
        task=Task("Tools"), dataset="own", prompt="Ask.", question="Ask?", grader="function_calls",
        gold_set=('{"name": "add", "arguments": {"a": [1]}}',), unit="m", licence="CC-BY-4.0",
        functions=(Function(name="add", parameters={"type": "object", "properties": {}}),),
        dialogue=(Message(role="user", content="Hello"),), context=(Message(role="user", content="Before"),),
        backend=Backend(source="def add(a): return a"), source="own/validation/part/7", difficulty="2", tags=("t",),
    )  # fmt: skip
    other = item.model_copy(update={"prompt": "Ask again.", "source": "own/validation/other/7"})
    unsolved = Rollout(ordinal=0, budget=1, steps=(), ended="refused")
    lines = list(failures(EvaluatedItem(instruction=one, rollouts=(unsolved,)) for one in (item, other)))
    (tmp_path / "failures.jsonl").write_text("\n".join(lines))

    def loaded(**fields: Any) -> list[Any]:
        return list(load_seed(SeedConfig(dataset="from_eval", path="failures.jsonl", **fields), tmp_path))

    assert loaded() == loaded(tasks=("Tools",)) == [item, other]
    assert loaded(limit=1) == [item]
    assert [one.id for one in loaded()] == [item.id, other.id]
    (named, _) = loaded(name="hard", licence="MIT")
    assert (named.dataset, named.licence, named.backend) == ("hard", "MIT", item.backend)
    assert named.id != item.id


def test_items_in_the_training_data_are_listed(tmp_path: Path) -> None:
    settings = configured(tmp_path / "run", "svamp", tasks=("Math_CoT",))
    items = items_of(settings)
    rows = [
        {"prompt": [{"role": "user", "content": f"Solve this.\n{items[2].question}"}], "completion": "x"},
        {"parent_id": items[4].id, "prompt": "something else"},
        {"messages": [{"role": "assistant", "content": items[6].question}]},
    ]
    (tmp_path / "sft.jsonl").write_text("\n".join(map(json.dumps, rows)))
    settings = settings.model_copy(update={"training_data": (str(tmp_path / "sft.jsonl"),)})
    report = evaluated(settings, knowing(items))
    assert report.contamination is not None
    assert {(found.source, found.match) for found in report.contamination} == {
        (items[2].source, "ngram"),
        (items[4].source, "id"),
    }


def test_outputs_in_the_layout_of_mint_give_their_table(tmp_path: Path) -> None:
    solved = {1: 1, 2: 3, 3: 2}
    for k, right in solved.items():
        for task, kind in (
            ("humaneval", "code_generation"),
            ("mbpp", "code_generation"),
            ("math", "reasoning"),
        ):
            folder = tmp_path / f"a-model/F=None/max{k}_p2+tool+cd/{kind}/{task}"
            folder.mkdir(parents=True)
            lines = [
                {
                    "state": {
                        "success": n < right, "terminate_reason": "task_success" if n < right else "max_steps",
                        "agent_action_count": {"propose_solution": 1, "use_tool": 0, "invalid_action": 0},
                    },
                    "task": {"task_name": task},
                }
                for n in range(4)
            ]  # fmt: skip
            (folder / "results.jsonl").write_text("\n".join(map(json.dumps, lines)))
    rows = {row.group: row for row in api.mint_outputs(tmp_path)}
    assert set(rows) == {
        "code",
        "math",
        "code_generation/humaneval",
        "code_generation/mbpp",
        "reasoning/math",
    }
    assert [turn.success.value for turn in rows["code"].by_turn] == [0.25, 0.75, 0.5]
    assert rows["code"].by_turn[0].success.items == 8
    assert rows["math"].reasons == {"max_steps": 2, "task_success": 2}
    with pytest.raises(DataError, match="there is no F="):
        api.mint_outputs(tmp_path / "none")


def test_faults_in_outputs_of_mint_are_named(tmp_path: Path) -> None:
    def written(where: str, text: str) -> Path:
        file = tmp_path / where / "reasoning/math/results.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    right = json.dumps({"state": {"success": True}, "task": {}})
    file = written("A/M/F=None/max1_p1+tool+cd", f"\ufeff{right}\n\n{right}\n")
    written("B/M/F=None/max1_p1+tool+cd", right.replace("true", "false"))
    rows = {row.model: row.by_turn[0].success for row in api.mint_outputs(tmp_path) if row.group == "math"}
    assert {name: (share.value, share.items) for name, share in rows.items()} == {
        "A/M": (1, 2),
        "B/M": (0, 1),
    }
    assert {row.model for row in api.mint_outputs(tmp_path / "A/M")} == {"M"}
    for text, said in (
        ("", r"results\.jsonl is empty"),
        ("\n \n", r"results\.jsonl is empty"),
        (right + "\n" + right.replace("true", '"False"'), r"results\.jsonl:2 .*neither true nor false"),
        (right.replace("true", "null"), r"results\.jsonl:1 .*neither true nor false"),
        ('{"state": {}}', r"results\.jsonl:1 "),
        ("[1]", r"results\.jsonl:1 .*no `state`"),
        ("{", r"results\.jsonl:1 .*no `state`"),
    ):
        file.write_text(text)
        with pytest.raises(DataError, match=said):
            api.mint_outputs(tmp_path)
    file.unlink()
    file.mkdir()
    with pytest.raises(DataError, match="cannot be read"):
        api.mint_outputs(tmp_path)
    written("B/M/F=None/max1_p2+tool+cd", right)
    file.rmdir()
    with pytest.raises(DataError, match="are both of 1 steps"):
        api.mint_outputs(tmp_path)


def test_an_evaluation_is_no_run_and_a_run_no_evaluation(tmp_path: Path) -> None:
    settings = configured(tmp_path / "run", "svamp", tasks=("Math_CoT",), limit=2)
    evaluated(settings, Scripted("actor", lambda request, ordinal: "Answer: 4"))
    with (
        api.open_run(tmp_path / "run") as store,
        pytest.raises(StoreError, match="is an evaluation and holds no trees"),
    ):
        list(store.trees())
    with pytest.raises(StoreError, match="there is no report of an evaluation here"):
        api.evaluation_report(tmp_path)
    assert config().rollout is None
