"""A small Hub on this machine: the HTTP API that the real clients use to create, push, list, download and load datasets.

It keeps repositories in memory, commits atomically, and refuses what the Hub refuses. Faults can be put in the way of
any request: error codes, dropped connections before or after the request took effect.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from aiohttp import web

from tests.hub.repositories import Blob, Refused, Repo

TOKENS = {
    "hf_alice": {"name": "alice", "orgs": [{"name": "lab"}], "role": "write"},
    "hf_reader": {"name": "alice", "orgs": [], "role": "read"},
    "hf_bob": {"name": "bob", "orgs": [], "role": "write"},
}


@dataclass
class Fault:
    """Goes off at the first `times` requests of this kind."""

    method: str
    path: str
    """Regular expression, searched in the path."""
    status: int | None = None
    """Answer with this status; None drops the connection."""
    after: bool = False
    """Let the request take effect first."""
    times: int = 1
    action: Callable[[HubServer], None] | None = None
    """Runs when it goes off."""


class HubServer:
    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.lfs: dict[str, bytes] = {}
        self.faults: list[Fault] = []
        self.seen: list[tuple[str, str]] = []
        self.uploads: list[str] = []
        self.endpoint = ""
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def files(self, repo: str, revision: str = "main") -> dict[str, bytes]:
        found = self.repos[repo]
        return {path: blob.data for path, blob in found.commits[found.resolve(revision)].items()}

    def requests(self, method: str, path: str) -> int:
        return sum(m == method and re.search(path, p) is not None for m, p in self.seen)

    # ------------------------------------------------------------------------------------------- serving

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        app = web.Application(client_max_size=2**30, middlewares=[self._guard])

        def route(method: str, path: str, handler: Any) -> None:
            for name in ("GET", "HEAD") if method == "GET" else (method,):
                app.router.add_route(name, path, handler)

        route("GET", "/api/whoami-v2", self.whoami)
        route("POST", "/api/repos/create", self.create)
        route("POST", "/api/validate-yaml", self.validate_yaml)
        route("PUT", "/lfs/{oid}", self.upload)
        route("POST", "/lfs-verify", self.verify)
        for kind, prefix in (("datasets", "/datasets"), ("spaces", "/spaces"), ("models", "")):
            self._repositories(route, f"/api/{kind}/{{user}}/{{name}}", prefix + "/{user}/{name}")
        runner = web.AppRunner(app)
        self._loop.run_until_complete(runner.setup())
        site = web.TCPSite(runner, "127.0.0.1", 0)
        self._loop.run_until_complete(site.start())
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        self.endpoint = f"http://127.0.0.1:{port}"
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    def _repositories(self, route: Any, api: str, files: str) -> None:
        """The requests about repositories of one kind."""
        route("GET", api, self.info)
        route("GET", api + "/revision/{revision:.+}", self.info)
        route("GET", api + "/auth-check/write", self.auth_check)
        route("GET", api + "/tree/{revision}", self.tree)
        route("GET", api + "/tree/{revision}/{path:.+}", self.tree)
        route("POST", api + "/paths-info/{revision:.+}", self.paths_info)
        route("POST", api + "/branch/{branch:.+}", self.branch)
        route("POST", api + "/preupload/{revision:.+}", self.preupload)
        route("POST", api + "/commit/{revision:.+}", self.commit)
        route("GET", api + "/discussions", self.discussions)
        route("GET", api + "/refs", self.refs)
        route("POST", files + ".git/info/lfs/objects/batch", self.batch)
        route("GET", files + "/resolve/{revision}/{path:.+}", self.download)

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.seen.append((request.method, request.path))
        fault = next(
            (
                f
                for f in self.faults
                if f.times > 0 and f.method == request.method and re.search(f.path, request.path)
            ),
            None,
        )
        if fault is not None:
            fault.times -= 1
            if fault.after:
                await handler(request)
            if fault.action is not None:
                fault.action(self)
            if fault.status is None and fault.action is None:
                assert request.transport is not None
                request.transport.close()
                return web.Response()
            if fault.status is not None:
                await request.read()
                return self._refusal(Refused(fault.status, message="injected fault"))
        try:
            return await handler(request)
        except Refused as refused:
            return self._refusal(refused)

    @staticmethod
    def _refusal(refused: Refused) -> web.Response:
        headers = {"X-Error-Code": refused.code, "X-Error-Message": refused.message}
        return web.json_response({"error": refused.message}, status=refused.status, headers=headers)

    def _account(self, request: web.Request) -> dict[str, Any]:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in TOKENS:
            raise Refused(401, message="Invalid credentials in Authorization header")
        return TOKENS[token]

    def _may_write(self, request: web.Request, namespace: str) -> None:
        account = self._account(request)
        if account["role"] != "write" or namespace not in (
            account["name"],
            *(group["name"] for group in account["orgs"]),
        ):
            raise Refused(403, message=f"You don't have the rights to write to {namespace}")

    def _may_propose(self, request: web.Request) -> str:
        """Anybody with a token that writes may open a pull request, and change those of their own."""
        account = self._account(request)
        if account["role"] != "write":
            raise Refused(403, message="You don't have the rights to open a pull request")
        return account["name"]

    def _may_change(self, request: web.Request, repo: Repo) -> None:
        branch = request.match_info["revision"]
        author = next((item["author"] for item in repo.requests if branch == f"refs/pr/{item['num']}"), None)
        if request.query.get("create_pr") or author == self._account(request)["name"]:
            self._may_propose(request)
        else:
            self._may_write(request, repo.id.split("/")[0])

    def _repo(self, request: web.Request) -> Repo:
        repo = self.repos.get(f"{request.match_info['user']}/{request.match_info['name']}")
        if repo is None:
            raise Refused(404, "RepoNotFound", "Repository not found")
        if repo.private:
            self._account(request)
        return repo

    # ------------------------------------------------------------------------------------------ handlers

    async def whoami(self, request: web.Request) -> web.Response:
        account = self._account(request)
        auth = {"accessToken": {"displayName": "t", "role": account["role"]}}
        return web.json_response(
            {"type": "user", "name": account["name"], "orgs": account["orgs"], "auth": auth}
        )

    async def create(self, request: web.Request) -> web.Response:
        body = await request.json()
        namespace = body.get("organization") or self._account(request)["name"]
        self._may_write(request, namespace)
        repo_id = f"{namespace}/{body['name']}"
        if repo_id in self.repos:
            raise Refused(409, message="You already created this dataset repo")
        repo = self.repos[repo_id] = Repo(repo_id, body.get("visibility") == "private")
        repo.commit("main", {".gitattributes": Blob(b"*.parquet filter=lfs\n", False)}, "initial commit")
        prefix = "datasets/" if body.get("type") == "dataset" else ""
        return web.json_response({"url": f"{self.endpoint}/{prefix}{repo_id}"})

    async def validate_yaml(self, request: web.Request) -> web.Response:
        import yaml

        body = await request.json()
        try:
            header = yaml.safe_load(body["content"].split("---")[1])
            if body.get("repoType") == "model":
                assert header["library_name"]
                return web.json_response({"errors": [], "warnings": []})
            if body.get("repoType") == "space":
                assert header["sdk"] == "static"
                return web.json_response({"errors": [], "warnings": []})
            names = [entry["config_name"] for entry in header["configs"]]
            assert len(set(names)) == len(names)
            assert sum(bool(entry.get("default")) for entry in header["configs"]) <= 1
        except (yaml.YAMLError, IndexError, KeyError, TypeError, AssertionError) as error:
            return web.json_response(
                {"errors": [{"message": f"bad metadata: {error}"}], "warnings": []}, status=400
            )
        return web.json_response({"errors": [], "warnings": []})

    async def info(self, request: web.Request) -> web.Response:
        repo = self._repo(request)
        oid = repo.resolve(request.match_info.get("revision", "main"))
        return web.json_response(
            {
                "_id": "0", "id": repo.id, "sha": oid, "private": repo.private, "tags": [], "downloads": 0, "likes": 0,
                "author": repo.id.split("/")[0], "disabled": False, "gated": False,
                "siblings": [{"rfilename": path} for path in repo.commits[oid]],
            }
        )  # fmt: skip

    async def auth_check(self, request: web.Request) -> web.Response:
        repo = self._repo(request)
        self._may_write(request, repo.id.split("/")[0])
        return web.json_response({})

    def _entry(self, path: str, blob: Blob) -> dict[str, Any]:
        entry: dict[str, Any] = {"type": "file", "path": path, "size": len(blob.data), "oid": blob.oid}
        if blob.lfs:
            entry["lfs"] = {"oid": blob.sha256, "size": len(blob.data), "pointerSize": len(blob.pointer)}
        return entry

    def _listing(self, files: dict[str, Blob], under: str, recursive: bool) -> list[dict[str, Any]]:
        prefix = f"{under}/" if under else ""
        entries: dict[str, dict[str, Any]] = {}
        for path, blob in sorted(files.items()):
            if not path.startswith(prefix):
                continue
            parts = path[len(prefix) :].split("/")
            for depth in range(1, len(parts)):
                folder = prefix + "/".join(parts[:depth])
                if depth == 1 or recursive:
                    entries[folder] = {"type": "directory", "path": folder, "oid": "0" * 40, "size": 0}
            if len(parts) == 1 or recursive:
                entries[path] = self._entry(path, blob)
        return list(entries.values())

    async def tree(self, request: web.Request) -> web.Response:
        repo = self._repo(request)
        files = repo.commits[repo.resolve(request.match_info["revision"])]
        under = request.match_info.get("path", "")
        entries = self._listing(files, under, request.query.get("recursive", "").lower() in ("true", "1"))
        if under and not entries:
            raise Refused(404, "EntryNotFound", f"{under} does not exist")
        return web.json_response(entries)

    async def paths_info(self, request: web.Request) -> web.Response:
        repo = self._repo(request)
        files = repo.commits[repo.resolve(request.match_info["revision"])]
        if request.content_type == "application/json":
            paths = (await request.json())["paths"]
        else:
            paths = (await request.post()).getall("paths")
        every = {entry["path"]: entry for entry in self._listing(files, "", True)}
        return web.json_response([every[path] for path in paths if path in every])

    async def branch(self, request: web.Request) -> web.Response:
        repo = self._repo(request)
        self._may_write(request, repo.id.split("/")[0])
        name = request.match_info["branch"]
        if name in repo.branches:
            raise Refused(409, message="Reference already exists")
        repo.branches[name] = repo.branches["main"]
        return web.json_response({})

    async def refs(self, request: web.Request) -> web.Response:
        repo = self._repo(request)
        branches = [
            {"name": name, "ref": f"refs/heads/{name}", "targetCommit": oid}
            for name, oid in repo.branches.items()
        ]
        return web.json_response({"branches": branches, "tags": [], "converts": []})

    async def preupload(self, request: web.Request) -> web.Response:
        repo = self._repo(request)
        self._may_change(request, repo)
        files = repo.commits[repo.resolve(request.match_info["revision"])]
        answer = []
        for file in (await request.json())["files"]:
            path = file["path"]
            lfs = path.endswith((".parquet", ".png")) or file["size"] > 10_000_000
            known = files.get(path)
            answer.append(
                {
                    "path": path, "uploadMode": "lfs" if lfs else "regular", "shouldIgnore": False,
                    "oid": None if known is None else known.sha256 if lfs else known.oid,
                }
            )  # fmt: skip
        return web.json_response({"files": answer})

    async def batch(self, request: web.Request) -> web.Response:
        self._may_propose(request)
        objects = []
        for item in (await request.json())["objects"]:
            entry: dict[str, Any] = {"oid": item["oid"], "size": item["size"]}
            if item["oid"] not in self.lfs:
                entry["actions"] = {
                    "upload": {"href": f"{self.endpoint}/lfs/{item['oid']}"},
                    "verify": {"href": f"{self.endpoint}/lfs-verify"},
                }
            objects.append(entry)
        return web.json_response({"transfer": "basic", "objects": objects})

    async def upload(self, request: web.Request) -> web.Response:
        data = await request.read()
        oid = request.match_info["oid"]
        if hashlib.sha256(data).hexdigest() != oid:
            raise Refused(400, message="content does not match its oid")
        self.lfs[oid] = data
        self.uploads.append(oid)
        return web.Response()

    async def verify(self, request: web.Request) -> web.Response:
        body = await request.json()
        if len(self.lfs.get(body["oid"], b"")) != body["size"]:
            raise Refused(400, message="object is not there")
        return web.Response()

    async def commit(self, request: web.Request) -> web.Response:
        repo = self._repo(request)
        self._may_change(request, repo)
        branch = request.match_info["revision"]
        lines = [json.loads(line) for line in (await request.read()).splitlines()]
        header = lines[0]["value"]
        head = repo.resolve(branch)
        if header.get("parentCommit") not in (None, head):
            raise Refused(412, message="A commit has happened since. Please refresh and try again.")
        files = dict(repo.commits[head])
        for line in lines[1:]:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = Blob(base64.b64decode(value["content"]), False)
            elif line["key"] == "lfsFile":
                if value["oid"] not in self.lfs:
                    raise Refused(400, message=f"LFS object {value['oid']} is missing")
                files[value["path"]] = Blob(self.lfs[value["oid"]], True)
            elif line["key"] == "deletedFile" and files.pop(value["path"], None) is None:
                raise Refused(404, "EntryNotFound", "A file with this name doesn't exist")
        answer = {}
        if request.query.get("create_pr"):
            number = len(repo.requests) + 1
            branch = f"refs/pr/{number}"
            repo.branches[branch] = head
            repo.requests.append(
                {"num": number, "title": header["summary"], "author": self._account(request)["name"]}
            )
            answer["pullRequestUrl"] = f"{self.endpoint}/datasets/{repo.id}/discussions/{number}"
        oid = repo.commit(branch, files, header["summary"])
        answer |= {
            "commitUrl": f"{self.endpoint}/datasets/{repo.id}/commit/{oid}",
            "commitOid": oid,
            "success": True,
        }
        return web.json_response(answer)

    async def discussions(self, request: web.Request) -> web.Response:
        repo = self._repo(request)
        found = [
            {
                "num": item["num"], "title": item["title"], "author": {"name": item["author"]}, "isPullRequest": True,
                "status": "open", "createdAt": "2024-04-02T00:00:00.000Z", "repo": {"name": repo.id, "type": "dataset"},
            }
            for item in repo.requests
            if request.query.get("author", item["author"]) == item["author"]
        ]  # fmt: skip
        return web.json_response({"discussions": found, "count": len(found), "start": 0})

    async def download(self, request: web.Request) -> web.Response:
        repo = self._repo(request)
        oid = repo.resolve(request.match_info["revision"].replace("%2F", "/"))
        blob = repo.commits[oid].get(request.match_info["path"])
        if blob is None:
            raise Refused(404, "EntryNotFound", "Entry not found")
        etag = f'"{blob.sha256 if blob.lfs else blob.oid}"'
        headers = {"ETag": etag, "X-Repo-Commit": oid, "X-Linked-ETag": etag, "X-Linked-Size": str(len(blob.data)),
                   "Accept-Ranges": "bytes"}  # fmt: skip
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range", ""))
        if wanted:
            first, last = int(wanted[1]), min(int(wanted[2] or len(blob.data) - 1), len(blob.data) - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(blob.data)}"
            return web.Response(body=blob.data[first : last + 1], status=206, headers=headers)
        return web.Response(body=blob.data, headers=headers)
