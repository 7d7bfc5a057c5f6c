"""Control groups of workers: made where they can be, entered, counted against, removed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ultrainteract.sandbox import cgroups
from ultrainteract.sandbox.cgroups import ControlGroup


def machine(folder: Path, own: str, *files: str) -> Path:
    """A machine's /proc and /sys, as far as they are looked at."""
    (folder / "proc/self").mkdir(parents=True)
    (folder / "proc/self/cgroup").write_text(own)
    for name in files:
        path = folder / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def kernel(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Has each new folder filled with the files that the kernel makes in a group."""
    real = Path.mkdir

    def mkdir(folder: Path, *arguments: object, **options: object) -> None:
        real(folder, *arguments, **options)  # type: ignore[arg-type]
        for name in names:
            (folder / name).touch()

    monkeypatch.setattr(Path, "mkdir", mkdir)


def test_version_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = machine(
        tmp_path, "0::/user.slice/run.scope\n", "cgroup.controllers", "user.slice/run.scope/cgroup.procs"
    )
    kernel(monkeypatch, "memory.max", "pids.max")
    group = cgroups.make(100, 50, root)
    assert group is not None
    [folder] = group.folders
    assert folder.parent == root / "sys/fs/cgroup/user.slice/run.scope"
    assert ((folder / "memory.max").read_text(), (folder / "pids.max").read_text()) == (str(100 << 20), "50")
    assert group.kills() == (folder / "memory.events", "/sys/fs/cgroup/memory.events")


def test_version_2_without_controllers_makes_none(tmp_path: Path) -> None:
    root = machine(tmp_path, "0::/\n", "cgroup.controllers")
    assert cgroups.make(100, 50, root) is None
    assert list((root / "sys/fs/cgroup").glob("ultrainteract-*")) == []


def test_version_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = machine(tmp_path, "8:pids:/\n4:memory:/a/b\n0::/\n", "memory/a/b/tasks", "pids/tasks")
    kernel(monkeypatch, "memory.limit_in_bytes", "pids.max")
    group = cgroups.make(100, 50, root)
    assert group is not None
    memory, pids = group.folders
    assert (memory.parent, pids.parent) == (root / "sys/fs/cgroup/memory/a/b", root / "sys/fs/cgroup/pids")
    assert (memory / "memory.limit_in_bytes").read_text() == str(100 << 20)
    assert (pids / "pids.max").read_text() == "50"


def test_nothing_is_made_where_nothing_is(tmp_path: Path) -> None:
    assert cgroups.make(100, 50, tmp_path) is None
    assert cgroups.make(100, 50, machine(tmp_path, "4:memory:/gone\n8:pids:/gone\n")) is None


def test_a_command_enters_all_groups_and_keeps_its_arguments(tmp_path: Path) -> None:
    group = ControlGroup(1, (tmp_path / "one", tmp_path / "two"))
    for folder in group.folders:
        folder.mkdir()
    done = subprocess.run(
        group.entered(["printf", "%s|", "a b", "--", "$x"]), capture_output=True, text=True, check=True
    )
    assert done.stdout == "a b|--|$x|"
    assert len({(folder / "cgroup.procs").read_text() for folder in group.folders}) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a control group of its own")
def test_the_kernel_counts_and_lets_go() -> None:
    group = cgroups.make(64, 20)
    if group is None:
        pytest.skip("no control group can be made here")
    code = "x = bytearray(1 << 28)\nfor i in range(0, len(x), 4096): x[i] = 1"
    done = subprocess.run(group.entered(["python3", "-c", code]), capture_output=True)
    assert done.returncode == -9
    kills, _ = group.kills()
    assert "oom_kill 1" in kills.read_text()
    group.remove()
    assert not any(folder.exists() for folder in group.folders)
