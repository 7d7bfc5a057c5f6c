"""A reward function whose grading is done by `ultrainteract serve`, on one machine or on several.

It has the face of `RewardFunction`, so that the adapters of the trainers take either. A busy or restarting server is
asked again until the deadline of the batch has passed; then its attempts have no reward.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
import orjson

from ultrainteract.errors import ConfigError, DataError, GraderError, error_from_report
from ultrainteract.rewards.attempts import Attempt, Score
from ultrainteract.rewards.function import Grading, RewardFunction
from ultrainteract.rewards.scorer import LATE, ScorerConfig

TOKEN_ENV = "ULTRAINTERACT_TOKEN"
"""Environment variable that holds the token."""
FIRST_WAIT_S, LONGEST_WAIT_S = 0.1, 5.0


class RemoteRewardFunction(RewardFunction):
    """Grades completions at servers.

    Args:
        urls: Their addresses; a batch is divided among them.
        token: Their token; that of the environment variable `ULTRAINTERACT_TOKEN` if None.
        config: Deadline and back-pressure of this side; sandbox and graders are the servers' affair.

    Raises:
        ConfigError: There is no address.
    """

    chunk = 64

    def __init__(
        self, urls: str | Sequence[str], *, token: str | None = None, config: ScorerConfig | None = None
    ) -> None:
        super().__init__(config, workers=0)
        self._urls = [urls] if isinstance(urls, str) else list(urls)
        self._token = token
        if not self._urls:
            raise ConfigError("Name at least one server, such as http://127.0.0.1:8123.")

    async def _open_graders(self) -> Sequence[Grading]:
        token = self._token or os.environ.get(TOKEN_ENV)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        session = aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=None))
        return [_Server(url.rstrip("/"), session, self.config.deadline_s) for url in self._urls]

    def __getstate__(self) -> dict[str, Any]:
        return {"urls": self._urls, "token": self._token, "config": self.config}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["urls"], token=state["token"], config=state["config"])  # type: ignore[misc]


class _Server:
    """One server."""

    pid = None

    def __init__(self, url: str, session: aiohttp.ClientSession, deadline_s: float | None) -> None:
        self.pending = 0
        self.counts: Mapping[str, int] = {}
        self._url, self._session, self._deadline_s = url, session, deadline_s

    async def score(self, attempts: Sequence[Attempt]) -> list[Score]:
        """Has a batch graded.

        Raises:
            DataError: The server refuses the batch.
            GraderError: The token is wrong, or this is no such server.
            UltraInteractError: As the server reports it.
        """
        self.pending += len(attempts)
        try:
            async with asyncio.timeout(self._deadline_s):
                return await self._asked(_body(attempts))
        except TimeoutError:
            return [Score.of(LATE)] * len(attempts)
        finally:
            self.pending -= len(attempts)

    async def _asked(self, body: bytes) -> list[Score]:
        wait_s = FIRST_WAIT_S
        while True:
            try:
                async with self._session.post(
                    f"{self._url}/grade", data=body, headers={"Content-Type": "application/json"}
                ) as response:
                    text = await response.read()
                    if response.status == 200:
                        return [_score(item) for item in orjson.loads(text)["scores"]]
                    if response.status not in (502, 503, 504):
                        self._refuse(response.status, text)
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    def _refuse(self, status: int, text: bytes) -> None:
        try:
            said = orjson.loads(text)
            message, name = str(said["error"]), str(said.get("name", ""))
        except (orjson.JSONDecodeError, KeyError, TypeError):
            message, name = f"status {status}", ""
        if status == 400:
            raise DataError(message)
        if name:
            raise error_from_report(name, message)
        raise GraderError(f"{self._url} does not grade: {message}")

    async def close(self, grace_s: float) -> None:
        """Closes the connections."""
        await self._session.close()


def _body(attempts: Sequence[Attempt]) -> bytes:
    """A batch as JSON; a problem that many attempts share is sent once."""
    numbers = {problem: number for number, problem in enumerate(dict.fromkeys(a.problem for a in attempts))}
    items = [attempt._asdict() | {"problem": numbers[attempt.problem]} for attempt in attempts]
    return orjson.dumps({"problems": list(numbers), "attempts": items})


def _score(item: dict[str, Any]) -> Score:
    told = None if item["check"] is None else (item["check"], item["detail"], item["reliability"])
    return Score.of_plain((item["label"], item["reason"], told, item["output"], item["status"]))
