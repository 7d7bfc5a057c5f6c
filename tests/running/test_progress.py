"""The live display: figures are whole at any width."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from tests.builders import config
from ultrainteract.running.progress import Progress, panel
from ultrainteract.schema import TreeState
from ultrainteract.store import RunStore

WAITS = [
    "actor slowed to 5 of 8 requests at once",
    "critic slowed to 4 of 8 requests at once",
    "critic: requests 4",
]


@pytest.fixture
def progress(tmp_path: Path) -> Iterator[Progress]:
    with RunStore.create(tmp_path / "run", config({})) as store:
        clock = iter([0.0])
        found = Progress(store, clock=lambda: next(clock, 60.0))
        for _ in range(12):
            tallies = {"pairs": 1, "judged": 14, "judged_correct": 1, "drawn": 1400, "with_verdict": 1400}
            found.add(TreeState.COMPLETE, tallies)
        found.alive = 48
        found.waiting = lambda: WAITS
        yield found


def lines(progress: Progress, width: int) -> list[str]:
    console = Console(width=width, force_terminal=True, color_system=None)
    with console.capture() as shown:
        console.print(panel(progress, width))
    return shown.get().splitlines()


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_no_figure_is_broken(progress: Progress, width: int) -> None:
    shown = lines(progress, width)
    assert max(map(len, shown)) <= width
    for part in (*progress.details(), *WAITS[:2]):
        assert any(part in line for line in shown), part


def test_what_has_no_room_is_said_to_be_missing(progress: Progress) -> None:
    progress.waiting = lambda: [f"model {n} slowed to 5 of 8 requests at once" for n in range(9)]
    shown = lines(progress, 80)
    assert [line for line in shown if "model 0" in line] == shown[-2:-1]
    assert shown[-1].rstrip().endswith("…")
