"""Containers through the Docker SDK: what they are made with, what is removed, what is said where it cannot work."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ultrainteract.config import SandboxConfig
from ultrainteract.errors import ConfigError, SandboxError
from ultrainteract.sandbox import open_sandbox
from ultrainteract.sandbox.docker import RUN_LABEL, DockerWorker
from ultrainteract.sandbox.engine import engine, prune, remove
from ultrainteract.sandbox.image import why_not

IMAGE = os.environ.get("ULTRAINTERACT_IMAGE", SandboxConfig.model_fields["image"].default)


def test_a_missing_sdk_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "docker", None)
    with pytest.raises(ConfigError, match=r"pip install 'ultrainteract\[docker\]'"), engine():
        pass
    assert "pip install 'ultrainteract[docker]'" in why_not(IMAGE)


def test_an_engine_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    with pytest.raises(SandboxError, match="cannot be reached"), engine() as client:
        client.ping()
    assert why_not(IMAGE).startswith("Docker: The Docker Engine cannot be reached")


def test_a_silent_engine_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{tmp_path}/silent.sock")
        listener.listen()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/silent.sock")
        with pytest.raises(SandboxError, match="Docker Engine"), engine(0.5) as client:
            client.ping()


def test_an_engine_on_another_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    assert why_not(IMAGE).startswith("Docker:")


@pytest.mark.docker
def test_an_image_that_is_not_there_is_named() -> None:
    assert "ultrainteract sandbox build" in why_not("ultrainteract-no-such-image:latest")


@pytest.mark.docker
async def test_a_container_is_closed_to_everything() -> None:
    worker = DockerWorker(SandboxConfig(image=IMAGE), 2, run_id="test-engine")
    await worker.start()
    try:
        with engine() as client:
            found = client.api.inspect_container(worker.container)
        host = found["HostConfig"]
        assert host["NetworkMode"] == "none"
        assert host["ReadonlyRootfs"] is True
        assert host["Init"] is False
        assert host["AutoRemove"] is True
        assert host["Privileged"] is False
        assert host["CapDrop"] == ["ALL"]
        assert {name.removeprefix("CAP_") for name in host["CapAdd"]} == {
            "SETUID", "SETGID", "CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETFCAP", "SYS_ADMIN"
        }  # fmt: skip
        if os.geteuid() == 0:  # they are of use for nothing outside of its own user namespace
            assert os.readlink(f"/proc/{found['State']['Pid']}/ns/user") != os.readlink("/proc/self/ns/user")
        assert host["SecurityOpt"] == ["no-new-privileges", "apparmor=unconfined"]
        assert host["IpcMode"] == "private"
        assert host["Memory"] == host["MemorySwap"] == SandboxConfig().memory_mb << 20
        assert host["PidsLimit"] > 0
        assert host["NanoCpus"] > 0
        assert host["LogConfig"]["Type"] == "none"
        assert {limit["Name"]: limit["Hard"] for limit in host["Ulimits"]} == {"core": 0, "nofile": 1024}
        assert sorted(host["Tmpfs"]) == ["/box/00", "/box/01", "/tmp"]
        for options in host["Tmpfs"].values():
            assert "size=" in options
            assert "nr_inodes=" in options
            assert "nosuid" in options
        assert [mount["Destination"] for mount in found["Mounts"]] == ["/run/host"]
        assert found["Config"]["Labels"][RUN_LABEL] == "test-engine"
    finally:
        await worker.close()


@pytest.mark.docker
async def test_containers_of_a_run_are_pruned_and_only_they() -> None:
    ours, other = (DockerWorker(SandboxConfig(image=IMAGE), 1, run_id=f"test-prune-{n}") for n in range(2))
    try:
        await ours.start()
        await other.start()
        assert prune(f"{RUN_LABEL}=test-prune-0") == 1
        assert prune(f"{RUN_LABEL}=test-prune-0") == 0
        with engine() as client:
            assert client.api.inspect_container(other.container)["State"]["Running"]
    finally:
        await ours.close()
        await other.close()


@pytest.mark.docker
async def test_a_container_that_cannot_start_leaves_nothing() -> None:
    worker = DockerWorker(SandboxConfig(image=IMAGE, runtime="no-such-runtime"), 1, run_id="test-runtime")
    with pytest.raises(SandboxError, match="no-such-runtime"):
        await worker.start()
    assert prune(f"{RUN_LABEL}=test-runtime") == 0


@pytest.mark.docker
def test_removing_what_is_gone_is_no_error() -> None:
    remove("ultrainteract-no-such-container")


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("bubblewrap", marks=pytest.mark.bubblewrap),
        pytest.param("docker", marks=pytest.mark.docker),
    ],
)
def test_another_event_loop_will_do(kind: str) -> None:
    import uvloop  # in which Ray runs its actors where it is installed

    async def main() -> str | None:
        image = os.environ.get("ULTRAINTERACT_IMAGE", SandboxConfig().image)
        config = SandboxConfig.model_validate({"kind": kind, "image": image, "containers": 1})
        async with open_sandbox(config) as sandbox:
            return (await sandbox.run(["6 * 7"])).value

    assert uvloop.run(main()) == "42"
