"""A dataset Hub of one dataset, on this machine: the endpoints that streaming it needs, over real HTTP."""

from __future__ import annotations

import hashlib
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import unquote, urlsplit

COMMIT = "c0ffee" + "0" * 34
REPOSITORY = "acme/sums"


class Hub(BaseHTTPRequestHandler):
    files: ClassVar[dict[str, bytes]] = {}
    protocol_version = "HTTP/1.1"

    def _json(self, value: object, status: int = 200, **headers: str) -> None:
        self._bytes(json.dumps(value).encode(), status, {"Content-Type": "application/json", **headers})

    def _bytes(self, body: bytes, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _entry(self, path: str) -> dict[str, object]:
        content = self.files[path]
        return {"type": "file", "path": path, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        api = f"/api/datasets/{REPOSITORY}"
        info = {"id": REPOSITORY, "sha": COMMIT, "siblings": [{"rfilename": name} for name in self.files],
                "private": False, "gated": False, "disabled": False, "tags": [], "downloads": 0, "likes": 0,
                "lastModified": "2024-01-01T00:00:00.000Z", "createdAt": "2024-01-01T00:00:00.000Z"}  # fmt: skip
        if path in (api, f"{api}/revision/main", f"{api}/revision/{COMMIT}"):
            self._json(info)
        elif path.startswith(f"{api}/revision/"):
            self._json({"error": "Invalid rev id"}, 404, **{"X-Error-Code": "RevisionNotFound"})
        elif path.startswith(f"{api}/tree/{COMMIT}"):
            folder = path.removeprefix(f"{api}/tree/{COMMIT}").strip("/")
            self._json(
                [self._entry(name) for name in self.files if not folder or name.startswith(f"{folder}/")]
            )
        elif path.startswith(f"/datasets/{REPOSITORY}/resolve/{COMMIT}/"):
            self._file(path.removeprefix(f"/datasets/{REPOSITORY}/resolve/{COMMIT}/"))
        else:
            self._json({"error": "Repository not found"}, 404, **{"X-Error-Code": "RepoNotFound"})

    def _file(self, name: str) -> None:
        if name not in self.files:
            self._json({"error": "Entry not found"}, 404, **{"X-Error-Code": "EntryNotFound"})
            return
        content = self.files[name]
        headers = {
            "ETag": f'"{hashlib.sha1(content).hexdigest()}"',
            "X-Repo-Commit": COMMIT,
            "Accept-Ranges": "bytes",
        }
        wanted = self.headers.get("Range")
        if not wanted:
            self._bytes(content, 200, headers)
            return
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        start, end = int(first), min(int(last or len(content) - 1), len(content) - 1)
        headers["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
        self._bytes(content[start : end + 1], 206, headers)

    do_GET = do_HEAD = _answer

    def log_message(self, format: str, *arguments: object) -> None:
        """Silence."""


def serve(files: dict[str, bytes]) -> ThreadingHTTPServer:
    """A server on a free port of this machine; `serve_forever` it in a thread, `shutdown` it at the end."""
    handler = type("OneHub", (Hub,), {"files": files})
    return ThreadingHTTPServer(("127.0.0.1", 0), handler)
