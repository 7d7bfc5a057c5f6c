"""Test items of benchmarks, for decontamination: which columns hold the problem, and which tasks it concerns.

Known benchmarks are recognised by a name in their path. Others are read by the usual column names, or by the
columns that the config names, and compared with the instructions of every task, or of the tasks it names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ultrainteract.config import BenchmarkConfig, SeedConfig
from ultrainteract.errors import SeedError
from ultrainteract.readers.files import DATA_FILES, BadRecord
from ultrainteract.readers.rows import Row
from ultrainteract.readers.sources import local_files, read_rows
from ultrainteract.schema import Task

_MATH = (Task.MATH_COT, Task.MATH_POT)
_CODING = (Task.CODING,)
_LOGIC = (Task.LOGIC,)


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What is known of a benchmark."""

    tasks: tuple[Task, ...]
    fields: tuple[str, ...] = ()
    """Columns joined to one item; the usual ones if empty."""
    match: Literal["ngram", "substring"] = "ngram"


KNOWN: dict[str, Benchmark] = {
    "humaneval": Benchmark(_CODING, ("prompt",)),
    "mbpp": Benchmark(_CODING, ("prompt",)),
    "leetcode": Benchmark(_CODING, ("prompt",), "substring"),
    "gsm8k": Benchmark(_MATH, ("question",)),
    "gsm_plus": Benchmark(_MATH, ("question",)),
    "gsmplus": Benchmark(_MATH, ("question",)),
    "math": Benchmark(_MATH, ("problem",)),
    "theoremqa": Benchmark(_MATH, ("Question",)),
    "svamp": Benchmark(_MATH, ("Body", "Question")),
    "asdiv": Benchmark(_MATH, ("Input",)),
    "bbh": Benchmark(_LOGIC, ("input",)),
    "hotpotqa": Benchmark(_LOGIC, ("question",)),
    "ifeval": Benchmark(tuple(Task), ("prompt",)),
    "mmlu": Benchmark(tuple(Task), ("question",)),
}
"""Benchmarks by a name in their path; the last one that occurs decides (`mint/gsm8k` is gsm8k)."""

_USUAL = (
    "problem",
    "question",
    "Question",
    "Problem",
    "prompt",
    "input",
    "Input",
    "instruction",
    "text",
    "content",
)
_LISTS = ("examples", "Instances", "data", "test")
"""Columns that hold the items of a file that is one object."""
_STATEMENT_END = re.compile(r"\n\s*(?:\*\*)?(?:Example(?:s| \d+)?|Constraints|Note)\s*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TestItem:
    """One test item."""

    __test__ = False

    benchmark: str
    key: str
    text: str
    tasks: tuple[Task, ...]
    match: Literal["ngram", "substring"]

    @property
    def id(self) -> str:
        """Name in reports: benchmark, file and the item's own id or place."""
        return f"{self.benchmark}/{self.key}"


def read_benchmark(config: str | BenchmarkConfig, base: Path) -> Iterator[TestItem]:
    """The test items of one benchmark, or of a folder of several.

    Raises:
        SeedError: Nothing is there, it cannot be read, or no record holds a problem.
    """
    if isinstance(config, str):
        config = BenchmarkConfig(path=config)
    # Every file is read on its own: the files of one folder may be different benchmarks in different formats.
    local = local_files(config.path, base, ("**/*",))
    names = [""] if local is None else [str(path.relative_to(local[0])) for path in local[1]]
    found = 0
    for name in names:
        path = config.path if name in ("", ".") else str(Path(config.path) / name)
        if local is not None and not any(
            Path(path).match(pattern.removeprefix("**/")) for pattern in DATA_FILES
        ):
            continue
        for item in _items(config, path, name, base):
            found += 1
            yield item
    if not found:
        raise SeedError(
            f"{config.path}: no record holds a test problem; name its columns in `fields` "
            f"(the usual ones are {', '.join(_USUAL)})."
        )


def _items(config: BenchmarkConfig, path: str, name: str, base: Path) -> Iterator[TestItem]:
    known = _recognise(config.name or path)
    tasks = config.tasks or (known.tasks if known else tuple(Task))
    match = config.match if config.match != "auto" else known.match if known else "ngram"
    fields = config.fields or (known.fields if known else ())
    label = "/".join(filter(None, (config.name or Path(config.path).stem, name.rpartition(".")[0])))
    source = SeedConfig(
        dataset="generic", path=path, split=config.split, subset=config.subset, revision=config.revision
    )
    for row in read_rows(source, base, DATA_FILES):
        if isinstance(row, BadRecord):
            continue
        for key, item in _unpacked(row):
            text = _text(item, fields)
            if text:
                yield TestItem(label, key, statement(text) if match == "substring" else text, tasks, match)


def statement(text: str) -> str:
    """A programming task's statement: the prompt up to its examples or constraints, without quotes."""
    return _STATEMENT_END.split(text.strip().strip('"').strip(), maxsplit=1)[0].strip()


def _recognise(path: str) -> Benchmark | None:
    words = re.findall(
        r"[a-z]+(?:_[a-z]+)*\d*[a-z]*", path.lower().replace("-", "_").replace("human_eval", "humaneval")
    )
    best: tuple[int, str] | None = None
    for name in KNOWN:
        for position, word in enumerate(words):
            alike = word == name or word.replace("_", "") == name or word.startswith(name + "_")
            if alike and (best is None or (position, len(name)) > (best[0], len(best[1]))):
                best = (position, name)
    return KNOWN[best[1]] if best else None


def _unpacked(row: Row) -> Iterator[tuple[str, Row]]:
    """The row itself, or the items of a list inside it."""
    for name in _LISTS:
        value = row.get(name)
        if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            for number, item in enumerate(value):
                yield _key(row.child(item), str(number)), row.child(item)
            return
    yield _key(row, row.key), row


def _key(row: Row, place: str) -> str:
    for name in ("task_id", "unique_id", "idx", "id", "ID", "key"):
        value = row.get(name)
        if isinstance(value, (str, int)) and not isinstance(value, bool):
            return str(value)
    return place


def _text(row: Row, fields: tuple[str, ...]) -> str:
    parts = [row.get(name) for name in fields]
    texts = [part for part in parts if isinstance(part, str) and part.strip()]
    if not texts:
        texts = [part for part in map(row.get, _USUAL) if isinstance(part, str) and part.strip()][:1]
    return " ".join(text.strip() for text in texts)
