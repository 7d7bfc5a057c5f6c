"""The Wikipedia tool: the wording of answers, the local index, the live API against a server of our own."""

from __future__ import annotations

import asyncio
import bz2
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
from aiohttp import web
from typer.testing import CliRunner

from ultrainteract.cli.wiki import app
from ultrainteract.config import SandboxConfig
from ultrainteract.errors import ConfigError, SandboxError
from ultrainteract.sandbox import open_sandbox
from ultrainteract.tools.wikipedia import (
    ANSWER_CHARS,
    NOTHING_FOUND,
    LiveWikipedia,
    open_wikipedia,
    remembered,
    worded,
)
from ultrainteract.tools.wikipedia_index import WikipediaIndex, build_index, read_pages
from ultrainteract.tools.wikitext import opening, plain_text

DUMP = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="en">
<siteinfo><sitename>Wikipedia</sitename></siteinfo>
<page><title>Arthur's Magazine</title><ns>0</ns><id>1</id><revision><id>2</id>
<text bytes="9" xml:space="preserve">{{Infobox magazine|title={{lang|en|x}}}}
'''''Arthur's Magazine''''' (1844–1846) was an [[United States|American]] [[literary magazine|literary]]
periodical&lt;ref name="a"&gt;A [[hidden]] note.&lt;/ref&gt; published in [[Philadelphia]].
== History ==
It was edited by Timothy Shay Arthur and merged into ''Godey's Lady's Book''.</text></revision></page>
<page><title>First for Women</title><ns>0</ns><id>3</id><revision><id>4</id>
<text>'''First for Women''' is a woman's magazine started in 1989.&lt;!-- hidden words --&gt;
[[File:Cover.jpg|thumb|A [[cover]] of 1990]]</text></revision></page>
<page><title>Arthurs Magazine</title><ns>0</ns><id>5</id><redirect title="Arthur's Magazine"/>
<revision><id>6</id><text>#REDIRECT [[Arthur's Magazine]]</text></revision></page>
<page><title>Talk:Arthur's Magazine</title><ns>1</ns><id>7</id>
<revision><id>8</id><text>chatter</text></revision></page>
<page><title>Émile Zola</title><ns>0</ns><id>9</id>
<revision><id>10</id><text>Émile Zola was a French novelist.</text></revision></page>
</mediawiki>
"""


@pytest.fixture
def index(tmp_path: Path) -> Path:
    (tmp_path / "dump.xml").write_text(DUMP)
    assert build_index(tmp_path / "dump.xml", tmp_path / "wiki.sqlite") == 3
    return tmp_path / "wiki.sqlite"


async def test_index_answers_in_the_published_wording(index: Path) -> None:
    search = open_wikipedia(str(index))
    assert await search("Arthur's Magazine") == (
        "Page: Arthur's Magazine\nSummary: Arthur's Magazine (1844–1846) was an American literary\n"
        "periodical published in Philadelphia.\n\n"
        "Page: First for Women\nSummary: First for Women is a woman's magazine started in 1989."
    )
    assert (await search("arthurs_magazine")).startswith("Page: Arthur's Magazine\n"), (
        "a redirect, in any case"
    )
    assert (await search("timothy shay arthur editor")).startswith("Page: Arthur's Magazine\n"), (
        "text after the opening"
    )
    assert (await search("emile zola novels")).startswith("Page: Émile Zola\n"), (
        "accents and endings do not matter"
    )
    assert (await search("When was First for Women started?")).startswith("Page: First for Women\n")


@pytest.mark.parametrize(
    "query", ["xyzzy", "", "   ", '"', "AND OR NOT", "a* NEAR(b c)", "title:x", "hidden", "chatter", "\0"]
)
async def test_nothing_found_says_so_whatever_is_asked(index: Path, query: str) -> None:
    assert await open_wikipedia(str(index))(query) == NOTHING_FOUND


@pytest.mark.parametrize("kind", ["plain", "bz2", "two streams"])
def test_dump_may_be_compressed(tmp_path: Path, kind: str) -> None:
    body = DUMP.encode()
    half = len(body) // 2
    packed = {
        "plain": body,
        "bz2": bz2.compress(body),
        "two streams": bz2.compress(body[:half]) + bz2.compress(body[half:]),
    }
    (tmp_path / "dump").write_bytes(packed[kind])
    assert [page.title for page in read_pages(tmp_path / "dump")] == [
        "Arthur's Magazine", "First for Women", "Arthurs Magazine", "Émile Zola",
    ]  # fmt: skip


def test_json_lines_with_sentences(tmp_path: Path) -> None:
    rows = [{"title": "A", "text": ["One. ", "Two."]}, {"title": "B", "text": "Three [[kept]]."}]
    (tmp_path / "rows.jsonl").write_bytes(b"\n".join(map(orjson.dumps, rows)))
    build_index(tmp_path / "rows.jsonl", tmp_path / "i")
    assert WikipediaIndex(tmp_path / "i").search("two") == [("A", "One. Two.")]
    assert WikipediaIndex(tmp_path / "i").search("B") == [("B", "Three [[kept]].")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (DUMP[:900].encode(), "not a whole XML dump"),
        (bz2.compress(DUMP.encode())[:-20], "No index could be made|Cannot read"),
        (b'{"title": "x"}\n', "line 1"),
        (b"", "no article"),
        (b"<mediawiki></mediawiki>", "no article"),
    ],
)
def test_bad_dump_leaves_the_old_index(tmp_path: Path, index: Path, content: bytes, message: str) -> None:
    (tmp_path / "bad").write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        build_index(tmp_path / "bad", index)
    assert len(WikipediaIndex(index).search("Arthur's Magazine", 1)) == 1
    assert not list(tmp_path.glob("*partial*"))


def test_missing_sources_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="wiki build"):
        open_wikipedia(None)
    with pytest.raises(ConfigError, match="wiki build"):
        open_wikipedia(str(tmp_path / "none"))
    (tmp_path / "other").write_bytes(b"not a database" * 100)
    with pytest.raises(ConfigError, match="wiki build"):
        open_wikipedia(str(tmp_path / "other"))


def test_building_streams(tmp_path: Path) -> None:
    """A dump of 33 MB is indexed by a process that grows by far less."""
    script = """
import resource, sys
from pathlib import Path
from ultrainteract.tools.wikipedia_index import build_index
def pages():
    yield "<mediawiki>"
    for n in range(300):
        yield f"<page><title>T{n}</title><ns>0</ns><revision><text>Opening {n}.\\n== H ==\\n"
        yield "word &amp; [[link]] " * 6000 + "</text></revision></page>"
    yield "</mediawiki>"
folder = Path(sys.argv[1])
with open(folder / "d.xml", "w") as file:
    file.writelines(pages())
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert build_index(folder / "d.xml", folder / "i") == 300
print((folder / "d.xml").stat().st_size >> 20, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10)
"""
    ran = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    size, grown = map(int, ran.stdout.split())
    assert size > 30
    assert grown < 20


@pytest.mark.parametrize(
    "source",
    ["{{" * 50_000, "[[" * 50_000, "[[a" * 20_000 + "]]" * 20_000, "<ref>" * 40_000, "[http://" * 40_000, "(" * 100_000,
     "=" * 100_000, "== a " * 20_000, "<!--" * 20_000, "<" * 100_000, "'" * 100_000, "{|" * 30_000 + "|}" * 30_000,
     "( " * 50_000, "&" * 100_000, " \n" * 50_000],
)  # fmt: skip
def test_hostile_markup_takes_linear_time(source: str) -> None:
    started = time.process_time()
    plain_text(source)
    opening(source, 2000)
    assert time.process_time() - started < 2


def test_plain_text() -> None:
    assert (
        plain_text("a {{b|{{c}}}} d {| e |} f [[g|h]] [[i]] [http://j k] '''l''' <b>m</b> &amp;")
        == "a d f h i k l m &"
    )
    assert plain_text("[[File:x.png|thumb|[[a]] b]]c<ref>d</ref>e<ref name=f/>g<math>h</math>") == "ceg"
    assert opening("One. " * 1000, 100).endswith("One.")
    assert len(opening("x" * 5000, 100)) == 100


def test_wording_keeps_to_its_length() -> None:
    assert worded([]) == NOTHING_FOUND
    assert worded([("A", "")]) == NOTHING_FOUND
    assert len(worded([("A", "x" * 9000)])) == ANSWER_CHARS
    assert worded([("A", "a"), ("B", "b"), ("C", "c"), ("D", "d")]) == (
        "Page: A\nSummary: a\n\nPage: B\nSummary: b\n\nPage: C\nSummary: c"
    )


class Api:
    """A MediaWiki API that first fails in the given ways."""

    def __init__(self, failures: list[object]) -> None:
        self.failures = failures
        self.requests: list[web.Request] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        if self.failures:
            failure = self.failures.pop(0)
            if isinstance(failure, int):
                return web.Response(status=failure, headers={"Retry-After": "0"})
            return web.json_response(failure)
        if request.query["gsrsearch"] == "nothing":
            return web.json_response({"batchcomplete": True})
        pages = [
            {"pageid": 2, "title": "Second", "index": 2, "extract": "Two."},
            {"pageid": 1, "title": "First", "index": 1, "extract": "One.\n\n\nMore."},
            {"pageid": 3, "title": "Empty", "index": 3},
        ]
        return web.json_response({"query": {"pages": pages}})


@pytest.fixture
async def api() -> AsyncIterator[tuple[Api, str]]:
    server = Api([])
    application = web.Application()
    application.router.add_get("/w/api.php", server.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    yield server, f"http://127.0.0.1:{port}/w/api.php"
    await runner.cleanup()


async def test_live_api(api: tuple[Api, str]) -> None:
    server, address = api
    search = open_wikipedia(address)
    first = await search("  some   thing " + "x" * 500)
    assert first == "Page: First\nSummary: One.\nMore.\n\nPage: Second\nSummary: Two."
    assert await search("nothing") == NOTHING_FOUND
    sent = server.requests[0]
    assert sent.headers["User-Agent"].startswith("ultrainteract/")
    assert sent.query["gsrsearch"].startswith("some thing xxx")
    assert len(sent.query["gsrsearch"]) == 300


async def test_live_api_is_asked_again_after_passing_trouble(api: tuple[Api, str]) -> None:
    server, address = api
    server.failures = [503, 429, {"error": {"code": "maxlag", "info": "waiting"}}]
    assert (await LiveWikipedia(address, pause_s=0.01).search("x")).startswith("Page: First")
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("failures", "requests"),
    [([500] * 9, 4), ([404], 1), ([{"error": {"code": "badquery", "info": "no"}}], 1)],
)
async def test_live_api_that_fails_is_a_fault(
    api: tuple[Api, str], failures: list[object], requests: int
) -> None:
    server, address = api
    server.failures = failures
    with pytest.raises(SandboxError, match="did not answer"):
        await LiveWikipedia(address, pause_s=0.01).search("x")
    assert len(server.requests) == requests


async def test_no_server_is_a_fault() -> None:
    with pytest.raises(SandboxError, match="did not answer"):
        await LiveWikipedia("http://127.0.0.1:9/api.php", pause_s=0.01).search("x")


async def test_repeated_queries_are_one_call() -> None:
    calls: list[str] = []

    async def slow(query: str) -> str:
        calls.append(query)
        await asyncio.sleep(0.01)
        if query == "bad":
            raise SandboxError("no")
        return query.upper()

    search = remembered(slow)
    assert await asyncio.gather(*(search(text) for text in ("a", "a ", " a", "b", "a"))) == [
        "A",
        "A",
        "A",
        "B",
        "A",
    ]
    assert sorted(calls) == ["a", "b"]
    for _ in range(2):
        with pytest.raises(SandboxError):
            await search("bad")
    assert calls.count("bad") == 2, "a failure is not remembered"


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("bubblewrap", marks=pytest.mark.bubblewrap),
        pytest.param("docker", marks=pytest.mark.docker),
    ],
)
async def test_program_in_the_sandbox_searches(kind: str, index: Path) -> None:
    """The call leaves a container that has no network, and its answer is the value of the cell."""
    tools = {"wikipedia_search": open_wikipedia(str(index))}
    sandbox = open_sandbox(
        SandboxConfig(
            kind=kind, image=os.environ.get("ULTRAINTERACT_IMAGE", SandboxConfig().image), containers=1
        )
    )
    await sandbox.start()
    try:
        cells = ["first = wikipedia_search('zola')", "print(wikipedia_search('xyzzy'))\nfirst"]
        found = await sandbox.run(cells, tools=tools)
        assert (found.status, found.stdout) == ("ok", NOTHING_FOUND + "\n")
        assert found.value == repr("Page: Émile Zola\nSummary: Émile Zola was a French novelist.")
        wrong = await sandbox.run(["wikipedia_search(5)"], tools=tools)
        assert wrong.error_type == "TypeError"
        without = await sandbox.run(["wikipedia_search('zola')"])
        assert without.error_type == "NameError"

        async def broken(query: str) -> str:
            raise SandboxError("the source is gone")

        with pytest.raises(SandboxError, match="the source is gone"):
            await sandbox.run(
                ["try:\n    wikipedia_search('a')\nexcept BaseException:\n    1"],
                tools={"wikipedia_search": broken},
            )
        after = await sandbox.run(["1 + 1"])
        assert after.value == "2"
    finally:
        await sandbox.close()


def test_command_line(tmp_path: Path) -> None:
    (tmp_path / "dump.xml").write_text(DUMP)
    runner = CliRunner()
    built = runner.invoke(app, ["build", str(tmp_path / "dump.xml"), str(tmp_path / "i")])
    assert built.exit_code == 0, built.output
    found = runner.invoke(app, ["search", str(tmp_path / "i"), "zola"])
    assert found.stdout == "Page: Émile Zola\nSummary: Émile Zola was a French novelist.\n"
