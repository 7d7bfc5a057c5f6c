"""Nothing that a grader does or an answer says ends a run; and graders can be added by a package."""

from __future__ import annotations

import builtins
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.grading.collection import _instruction
from ultrainteract.errors import ConfigError
from ultrainteract.grading import Algebra, Finding, Graders, Question, grader, graders
from ultrainteract.grading.boundary import is_fault
from ultrainteract.grading.finding import Basis
from ultrainteract.grading.literals import NotLiteral, parse_expression, plain_value
from ultrainteract.grading.registry import GRADERS
from ultrainteract.schema import Label

ROOT = Path(__file__).parents[2]
EXCEPTIONS = [
    kind
    for kind in vars(builtins).values()
    if isinstance(kind, type)
    and issubclass(kind, BaseException)
    and not issubclass(kind, KeyboardInterrupt | BaseExceptionGroup | Warning)
    and kind is not BaseException
]


@pytest.fixture
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    graders()
    monkeypatch.setattr(GRADERS, "_entries", dict(GRADERS._entries))
    return


@pytest.mark.usefixtures("own_registry")
@pytest.mark.parametrize("kind", EXCEPTIONS, ids=[kind.__name__ for kind in EXCEPTIONS])
async def test_a_grader_that_raises_leaves_the_answer_undetermined(kind: type[BaseException]) -> None:
    @grader("broken")
    def broken(question: Question, answer: str, algebra: Algebra) -> Finding:
        if issubclass(kind, UnicodeDecodeError):
            raise kind("utf-8", b"x", 0, 1, "odd")
        if issubclass(kind, UnicodeEncodeError):
            raise kind("utf-8", "x", 0, 1, "odd")
        if issubclass(kind, UnicodeTranslateError):
            raise kind("x", 0, 1, "odd")
        raise kind("odd")

    verdict = await Graders().grade(_instruction("5", grader="broken"), "5")
    assert verdict.label is Label.UNDETERMINED
    assert is_fault(verdict)
    assert kind.__name__ in verdict.reason


@pytest.mark.usefixtures("own_registry")
async def test_a_grader_that_returns_nothing_is_a_fault_and_one_that_does_not_exist_is_refused() -> None:
    @grader("silent")
    def silent(question: Question, answer: str, algebra: Algebra) -> Finding:
        return None  # type: ignore[return-value]

    assert is_fault(await Graders().grade(_instruction("5", grader="silent"), "5"))
    with pytest.raises(ConfigError, match=r"no grader 'unheard_of'; there are: answer_set, .*math"):
        await Graders().grade(_instruction("5", grader="unheard_of"), "5")


@pytest.mark.usefixtures("own_registry")
def test_two_graders_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="registered as 'math'"):
        grader("math")(lambda question, answer, algebra: Finding.unknown(""))


@pytest.mark.parametrize(
    "answer",
    [
        "{{5, 6}}", "{[]: 1}", "9" * 400, "9" * 5_000, "1e400", "-1e-400", "[" * 2_000 + "]" * 2_000, "-" * 3_000 + "5",
        "+".join("1" * 1_900), "(" * 500 + "5" + ")" * 500, "\\sqrt{" * 500 + "5" + "}" * 500, "not " * 900 + "x",
        "lambda: " * 400 + "5", "\0", "\ud800", "'" * 9_999, "{'a': [}", "1" + "e9" * 3_000, "x" * 19_999,
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", sorted(name for name, entry in graders().items() if entry.compare))
def test_odd_answers_are_survived_in_process(name: str, answer: str) -> None:
    choices = ("5", "6") if name == "choice" else ()
    for task in ("Math_CoT", "Math_PoT"):
        for gold in ("5", "A", "yes"):
            instruction = _instruction(gold, grader=name, task=task, choices=choices)
            verdict = Graders().grade_literal(instruction, f"Answer: {answer}")
            assert verdict is None or not is_fault(verdict), verdict


def test_what_is_read_does_not_depend_on_the_depth_of_the_stack() -> None:
    texts = ["[" * n + "]" * n for n in (10, 60, 90, 150, 190)] + ["-" * n + "5" for n in (50, 95, 150, 900)]

    def outcome(text: str) -> str:
        try:
            return repr(plain_value(parse_expression(text)))
        except NotLiteral as error:
            return str(error)

    def deep(levels: int) -> list[str]:
        return deep(levels - 1) if levels else [outcome(text) for text in texts]

    assert deep(0) == deep(600)


def test_a_package_adds_a_grader(tmp_path: Path) -> None:
    source = ROOT / "examples/plugins/grader_json"
    project = tomllib.loads((source / "pyproject.toml").read_text())["project"]
    groups = {group: dict(entries) for group, entries in project["entry-points"].items()}
    info = tmp_path / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()  # what an installer of the package writes
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    (info / "entry_points.txt").write_text(
        "".join(
            f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in found.items())
            for group, found in groups.items()
        )
    )
    (tmp_path / "acme_json_grader.py").write_bytes((source / "acme_json_grader.py").read_bytes())
    lines = sum(len(path.read_text().splitlines()) for path in source.iterdir() if path.is_file())
    assert lines < 70
    (tmp_path / "seeds.jsonl").write_text(
        '{"q": "As JSON?", "a": "{\\"x\\": 1, \\"y\\": [2]}"}\n{"q": "And this?", "a": "{oops"}\n'
    )
    script = f"""
import asyncio, json, sys
sys.path[:0] = [{str(tmp_path)!r}]
from pathlib import Path
from ultrainteract.config import SeedConfig
from ultrainteract.grading import Graders, graders
from ultrainteract.seeds import load_seed
seed = SeedConfig(dataset="generic", name="acme", path="seeds.jsonl", tasks=["Logic"], grader="json_object",
                  mapping={{"question": "q", "gold": "a"}})
good, bad = load_seed(seed, Path({str(tmp_path)!r}))
async def main():
    async with Graders() as g:
        said = ['{{"y": [2], "x": 1}}', '{{"x": 2}}', "one"]
        verdicts = [await g.grade(good, answer) for answer in said]
    print(json.dumps({{"known": "json_object" in graders(), "bad": bad.reason, "labels": [v.label for v in verdicts],
                       "check": verdicts[0].evidence.check, "trust": verdicts[0].evidence.reliability}}))
asyncio.run(main())
"""
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=120
    )
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["known"]
    assert found["labels"] == ["correct", "wrong", "undetermined"]
    assert (found["check"], found["trust"]) == ("json", 0.5)
    assert "is no JSON" in found["bad"]


def test_findings_rest_on_the_weaker_reasoning() -> None:
    assert Finding.equal("x").resting_on(Basis.NUMERIC).basis is Basis.NUMERIC
    assert Finding.equal("x", Basis.CONVENTION).resting_on(Basis.NUMERIC).basis is Basis.CONVENTION


async def test_lone_surrogates_and_what_is_not_a_number_are_undetermined() -> None:
    async with Graders() as those:
        for gold, answer in [("5", "\ud800"), ("5", "\\sqrt{\udfff}"), ("nan", "nan"), ("NaN", "NaN")]:
            assert (await those.grade(_instruction(gold), answer)).label is Label.UNDETERMINED, answer
