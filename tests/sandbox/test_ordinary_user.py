"""The whole hostile suite again, as an ordinary user under the bundled bubblewrap.

Root makes the user (a number is enough) and, in a mount namespace of its own, lets it reach the interpreter where that
lies below a private folder such as /root.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REQUIRED
from ultrainteract.sandbox.bubblewrap import _bundled

ROOT = Path(__file__).parent.parent.parent
UID = 54_321
HOME = "/run/home"
_AS_USER = """
import os, sys
os.setgroups([]); os.setgid({uid}); os.setuid({uid})
os.execv(sys.executable, [sys.executable, *{arguments!r}])
"""


def private_ancestor(path: Path) -> Path | None:
    """The outermost folder on the way to `path` that other users may not enter."""
    return next((folder for folder in reversed(path.parents) if not folder.stat().st_mode & 0o001), None)


def opened(paths: list[Path]) -> str:
    """Shell commands that give the user a home and let it reach `paths`, in the mount namespace they run in."""
    lines = ["set -eu", "mount -t tmpfs -o mode=755 none /run", f"mkdir {HOME}", f"chown {UID}:{UID} {HOME}"]
    hidden = [path for path in paths if private_ancestor(path)]
    for number, path in enumerate(
        hidden
    ):  # first all are held elsewhere, then their private folders are covered
        lines += [f"mkdir /run/held-{number}", f"mount --bind {shlex.quote(str(path))} /run/held-{number}"]
    for folder in sorted({str(private_ancestor(path)) for path in hidden}):
        lines.append(f"mount -t tmpfs -o mode=755 none {shlex.quote(folder)}")
    for number, path in enumerate(hidden):
        quoted = shlex.quote(str(path))
        lines += [f"mkdir -p {quoted}", f"mount --bind /run/held-{number} {quoted}"]
    return "\n".join(lines)


def as_ordinary_user(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the interpreter as a user without a name, who finds no bwrap but the bundled one."""
    prefixes = dict.fromkeys(
        Path(item).resolve() for item in (sys.base_prefix, sys.prefix, *sys.path, ROOT) if item
    )
    outermost = [path for path in prefixes if path.is_dir() and not any(o in path.parents for o in prefixes)]
    become = ["env", f"PATH={HOME}", sys.executable, "-c", _AS_USER.format(uid=UID, arguments=[*arguments])]
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", f"{opened(outermost)}\nexec {shlex.join(become)}"],
        cwd=ROOT,
        env={"PATH": os.defpath, "HOME": HOME, "TMPDIR": HOME, "ULTRAINTERACT_REQUIRE": "bubblewrap",
             "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=540,
    )  # fmt: skip


pytestmark = [
    pytest.mark.bubblewrap,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        os.geteuid() != 0, reason="only root can become another user; all tests run as one here"
    ),
    pytest.mark.skipif(
        not _bundled() and "bubblewrap" not in REQUIRED, reason="the extra 'bubblewrap' is not installed"
    ),
]


def test_hostile_programs_are_held_for_an_ordinary_user() -> None:
    done = as_ordinary_user("-m", "pytest", "-rs", "-k", "bubblewrap", "tests/sandbox/test_hostile.py")
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


TWO = """
import asyncio
from ultrainteract.config import SandboxConfig
from ultrainteract.sandbox import open_sandbox

async def main():
    async with open_sandbox(SandboxConfig(kind="bubblewrap", containers=1, concurrency=2), run_id="two") as pool:
        writes = "open('/tmp/name', 'w').write('theirs'); import time; time.sleep(2)"
        first = asyncio.create_task(pool.run([writes]))
        await asyncio.sleep(1)
        print((await pool.run(["import os; print(os.listdir('/tmp'))"])).stdout, (await first).status)

asyncio.run(main())
"""


def test_an_ordinary_users_programs_have_a_tmp_of_their_own_and_no_warning_says_otherwise() -> None:
    done = as_ordinary_user("-c", TWO)
    assert done.stdout.split() == ["[]", "ok"], done.stderr[-2000:]
    assert "share" not in done.stderr
