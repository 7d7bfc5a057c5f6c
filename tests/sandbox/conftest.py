"""One warm sandbox a backend and module."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from ultrainteract.config import SandboxConfig
from ultrainteract.sandbox import open_sandbox
from ultrainteract.sandbox.pool import Pool

IMAGE = os.environ.get("ULTRAINTERACT_IMAGE", SandboxConfig().image)
BACKENDS = [
    pytest.param("bubblewrap", marks=pytest.mark.bubblewrap),
    pytest.param("docker", marks=pytest.mark.docker),
]


def open_pool(kind: str, **settings: object) -> Pool:
    """A pool of one backend, not started."""
    config = SandboxConfig.model_validate({"kind": kind, "image": IMAGE, "containers": 1, **settings})
    sandbox = open_sandbox(config, run_id="tests")
    assert isinstance(sandbox, Pool)
    return sandbox


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=BACKENDS)
async def sandbox(request: pytest.FixtureRequest) -> AsyncIterator[Pool]:
    async with open_pool(request.param) as pool:
        yield pool
