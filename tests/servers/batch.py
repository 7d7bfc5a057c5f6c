"""A server that speaks the Batch API: files, batches, expiry, partial results, and its faults."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.servers.chaos import Answer, Body, Chaos, ChaosServer, echo


@dataclass
class BatchChaos:
    """What goes wrong with batches. Each function is called with the number of the batch, from 0."""

    polls: int = 2
    """Times a batch is asked about before it has ended."""
    answered: Callable[[int], float] = lambda number: 1.0
    """Share of the rows that are answered before the batch expires."""
    refused: Callable[[int], str | None] = lambda number: None
    """Error code with which a batch fails before it begins."""
    lost_creations: int = 0
    """Creations that happen, but whose answer is a 500."""
    flaky: float = 0.0
    """Every so many-th call of the API is answered with a 500."""
    cut_downloads: int = 0
    """Downloads that end after half of the rows."""
    row_error: Callable[[Body], tuple[int, Body] | None] = lambda body: None
    """Status and body of a row that fails."""


class BatchServer(ChaosServer):
    """Serves chat completions live and in batches; `books` counts both.

    Args:
        answer: Text of sample `index` of a request.
        chaos: What goes wrong with live requests and which are refused.
        batch_chaos: What goes wrong with batches.
    """

    def __init__(
        self, answer: Answer = echo, chaos: Chaos | None = None, batch_chaos: BatchChaos | None = None
    ) -> None:
        super().__init__(answer, chaos)
        self.batch_chaos = batch_chaos or BatchChaos()
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.calls: Counter[str] = Counter()
        self._polls: Counter[str] = Counter()

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/v1/files", self._upload)
        app.router.add_get("/v1/files/{id}/content", self._content)
        app.router.add_post("/v1/batches", self._create)
        app.router.add_get("/v1/batches", self._list)
        app.router.add_get("/v1/batches/{id}", self._retrieve)
        app.middlewares.append(self._flaky)

    @web.middleware
    async def _flaky(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if "completions" not in request.path:
            self.calls["all"] += 1
            if self.batch_chaos.flaky and self.calls["all"] % self.batch_chaos.flaky == 0:
                return web.json_response({"error": {"message": "flaky"}}, status=500)
        response: web.StreamResponse = await handler(request)
        return response

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        assert form["purpose"] == "batch"
        data = form["file"].file.read()  # type: ignore[union-attr]
        identity = f"file-{len(self.files)}"
        self.files[identity] = data
        self.calls["upload"] += 1
        return web.json_response(
            {"id": identity, "object": "file", "bytes": len(data), "created_at": 1, "filename": "x",
             "purpose": "batch", "status": "processed"}
        )  # fmt: skip

    async def _content(self, request: web.Request) -> web.Response:
        data = self.files[request.match_info["id"]]
        if self.batch_chaos.cut_downloads:
            self.batch_chaos.cut_downloads -= 1
            lines = data.splitlines(keepends=True)
            data = b"".join(lines[: len(lines) // 2])
        return web.Response(body=data, content_type="application/octet-stream")

    async def _create(self, request: web.Request) -> web.Response:
        asked = await request.json()
        identity, number = f"batch-{len(self.batches)}", len(self.batches)
        rows = [json.loads(line) for line in self.files[asked["input_file_id"]].splitlines()]
        self.batches[identity] = {
            "id": identity,
            "object": "batch",
            "endpoint": asked["endpoint"],
            "completion_window": asked["completion_window"],
            "created_at": 1,
            "input_file_id": asked["input_file_id"],
            "status": "validating",
            "metadata": asked["metadata"],
            "request_counts": {"total": len(rows), "completed": 0, "failed": 0},
        }
        self._polls[identity] = self.batch_chaos.polls
        if code := self.batch_chaos.refused(number):
            self.batches[identity] |= {
                "status": "failed",
                "errors": {"object": "list", "data": [{"code": code, "message": f"refused: {code}"}]},
            }
        if self.batch_chaos.lost_creations:
            self.batch_chaos.lost_creations -= 1
            return web.json_response({"error": {"message": "lost"}}, status=500)
        return web.json_response(self.batches[identity])

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response(
            {"object": "list", "data": list(self.batches.values())[::-1], "has_more": False}
        )

    async def _retrieve(self, request: web.Request) -> web.Response:
        identity = request.match_info["id"]
        if identity not in self.batches:
            return web.json_response({"error": {"message": f"No such batch: {identity}"}}, status=404)
        batch = self.batches[identity]
        self._polls[identity] -= 1
        if batch["status"] in ("validating", "in_progress"):
            batch["status"] = "in_progress"
            if self._polls[identity] <= 0:
                await self._finish(batch)
        return web.json_response(batch)

    async def _finish(self, batch: dict[str, Any]) -> None:
        rows = [json.loads(line) for line in self.files[batch["input_file_id"]].splitlines()]
        share = self.batch_chaos.answered(int(batch["id"].removeprefix("batch-")))
        answered = round(share * len(rows))
        output, errors = [], []
        for row in rows[:answered]:
            body = row["body"]
            refusal = self.refusal(body)
            status, content = self.batch_chaos.row_error(body) or (
                (400, {"error": refusal}) if refusal else (200, {})
            )
            if status == 200:
                n = 1 if self.chaos.ignores_n else body.get("n", 1)
                content = json.loads(self.completion(body, await self.texts(body, n)))
            response = {"status_code": status, "request_id": "r", "body": content}
            line = {"id": "x", "custom_id": row["custom_id"], "response": response, "error": None}
            (output if status == 200 else errors).append(line)
        for row in rows[answered:]:
            error = {"code": "batch_expired", "message": "This request could not be executed in time."}
            errors.append({"id": "x", "custom_id": row["custom_id"], "response": None, "error": error})
        batch["status"] = "completed" if answered == len(rows) else "expired"
        batch["request_counts"] = {"total": len(rows), "completed": len(output), "failed": len(errors)}
        for name, lines in (("output_file_id", output), ("error_file_id", errors)):
            if lines:
                batch[name] = f"file-{len(self.files)}"
                self.files[batch[name]] = b"".join(
                    json.dumps(line).encode() + b"\n" for line in reversed(lines)
                )
