"""The paper's Figure 3: an undefined `x`, then the solved equation; scripted actor, the real interpreter."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders import config, math_pot, models, pot
from ultrainteract.config import SandboxConfig
from ultrainteract.exporting import pair_rows
from ultrainteract.grading import Graders
from ultrainteract.models import price_of
from ultrainteract.replay import RecordedSampler
from ultrainteract.sandbox import open_sandbox
from ultrainteract.store import RunStore
from ultrainteract.tree import Grower
from ultrainteract.tree.environment import Environment

FIRST = pot(
    "from sympy import solve\n# Step 2: Solve for x\nsolve(2*x + 10 - 24, x)", "Step 1: Write the equation."
)
SECOND = pot(
    "# Step 2: Define the symbol and solve\nfrom sympy import symbols, solve\n"
    "x = symbols('x')\nsolve(2*x + 10 - 24, x)[0]",
    "Step 1: Define the symbol first.",
)
OTHER = pot(
    "from sympy import symbols, solve\nx = symbols('x')\nsolve(2*x + 10 + 24, x)[0]", "Step 1: Move 24 over."
)
CRITIQUE = (
    "You use x before it is defined. Import what you need from sympy, define x as a symbol, then solve."
)


@pytest.mark.bubblewrap
async def test_the_two_turn_example_has_the_published_wording(tmp_path: Path) -> None:
    settings = config({"ladder": [{"name": "sample", "model": "actor", "samples": 1}]})
    scripted = models(
        actor=lambda request, ordinal: FIRST if request.purpose.turn == 1 else SECOND,
        pool=OTHER,
        critic=CRITIQUE,
    )
    sandbox = open_sandbox(SandboxConfig(kind="bubblewrap"))
    await sandbox.start()
    try:
        with RunStore.create(tmp_path, settings) as store:
            async with Graders() as graders:
                environment = Environment(store, sandbox, graders, settings.sandbox)
                grower = Grower(settings, RecordedSampler(store, scripted, settings, price_of), environment)
                tree = await grower.grow(math_pot("Solve 2x + 10 = 24 for x.", "7"))
    finally:
        await sandbox.close()

    (row,) = pair_rows(tree)
    instruction, action, feedback = row["trajectory"]
    assert [turn["from"] for turn in row["trajectory"]] == ["user", "assistant", "user"]
    assert instruction["value"].endswith(
        "Solve the following math problem step-by-step.\nSolve 2x + 10 = 24 for x."
    )
    assert action["value"] == (
        "Step 1: Write the equation.\n"
        "```python\nfrom sympy import solve\n# Step 2: Solve for x\nsolve(2*x + 10 - 24, x)\n```"
    )
    output, verdict, critique = feedback["value"].rsplit("\n", 2)
    assert output == (
        "Out: Cell In[1], line 3\n    solve(2*x + 10 - 24, x)\nNameError: name 'x' is not defined"
    )
    assert (verdict, critique) == ("Your answer is wrong.", CRITIQUE)
    assert row["chosen"].startswith(
        "Step 1: Define the symbol first.\n```python\n# Step 2: Define the symbol"
    )
    assert "2*x + 10 + 24" in row["rejected"]
    assert row["id"] == f"{tree.id}_2_2"
    assert row["parent_id"] == tree.id
    assert tree.turns[1].correct is not None
    assert tree.turns[1].correct.observation.output == "7"
