"""Trees into Arrow, a chunk at a time, on this core or on several.

A chunk's batches depend on its trees alone, and chunks come back in order, so the number of cores changes nothing
in what is written.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from ultrainteract.config import ExportConfig
from ultrainteract.dataset.samples import proofs, tree_passes
from ultrainteract.dataset.source import Repeatable
from ultrainteract.errors import StoreError, UltraInteractError
from ultrainteract.exporting.columns import arrow_schema
from ultrainteract.exporting.order import problem_of
from ultrainteract.exporting.registry import chosen_exporters
from ultrainteract.exporting.split import Choice, Split
from ultrainteract.schema import Tree
from ultrainteract.statistics.statistics import Statistics, estimated_tokens
from ultrainteract.store import read_tree

CHUNK_TREES = 32
"""Trees turned into Arrow at a time."""
_WORTH_IT = 16
"""Chunks from which on other cores are asked."""
Key = tuple[str, Split]
"""(export, split)"""
Parts = list[tuple[Tree, list[dict[str, Any]]]]
"""Trees and the rows of each."""


@dataclass
class Rendered:
    """The rows of a chunk of trees."""

    batches: dict[Key, Any]
    """Arrow batches; from another core as Arrow streams."""
    sizes: dict[Key, int]
    """Arrow bytes of each batch."""
    problems: dict[Key, list[str]]
    """The problem of each row, for exports that keep rows of one problem apart."""
    trees: int
    """Trees that were read, exported or not."""
    simulated: bool
    """Whether any of the trees is simulated."""
    proofs: set[bool]
    """What the labels rest on (see `samples.proofs`)."""
    statistics: Statistics | None
    """Figures of the trees, if they were asked for."""
    failed: dict[str, list[str]]
    """By export, what went wrong with each tree that it could not turn into rows."""


@dataclass(frozen=True)
class Renderer:
    """Renders chunks of trees for every export of `config`."""

    config: ExportConfig
    choice: Choice
    count: bool
    """Whether to count statistics."""

    def render(self, trees: Iterable[Tree], statistics: Statistics | None = None) -> Rendered:
        """The rows of some trees.

        Args:
            trees: The trees.
            statistics: Adds the exported trees up.
        """
        chosen = chosen_exporters(self.config)
        parts: dict[Key, Parts] = {}
        failed: dict[str, list[str]] = {}
        simulated, read, rests_on = False, 0, set[bool]()
        whole = "trees" in self.config.formats
        for tree in trees:
            read += 1
            if not tree_passes(tree, self.config.filter) or not self.choice.takes(tree):
                continue
            simulated = simulated or tree.simulated
            rests_on |= proofs(tree, self.config.filter, whole=whole)
            if statistics is not None:
                statistics.add(tree)
            split = self.choice.split(tree)
            for exporter in chosen:
                try:
                    found = list(exporter.rows(tree, self.config))
                except UltraInteractError:  # of the settings
                    raise
                except Exception as error:  # of one tree, in this export alone
                    failed.setdefault(exporter.name, []).append(_failure(tree, error))
                    continue
                parts.setdefault((exporter.name, split), []).append((tree, found))
        batches: dict[Key, Any] = {}
        problems: dict[Key, list[str]] = {}
        for exporter in chosen:
            schema = arrow_schema(exporter.columns)
            for key in [key for key in parts if key[0] == exporter.name]:
                batch, rendered, broken = _batch(parts[key], schema)
                failed.setdefault(exporter.name, []).extend(broken)
                if batch is not None and batch.num_rows:
                    batches[key] = batch
                if exporter.spread:
                    problems[key] = [problem_of(tree) for tree, found in rendered for _ in found]
        sizes = {key: batch.nbytes for key, batch in batches.items()}
        return Rendered(batches, sizes, problems, read, simulated, rests_on, statistics, failed)

    def render_all(
        self, trees: Iterable[Tree], statistics: Statistics | None, jobs: int
    ) -> Iterator[Rendered]:
        """The rows of all trees, chunk by chunk, in order.

        Args:
            trees: The trees; other cores can help where they are `Repeatable` and stored packed.
            statistics: Adds the exported trees up.
            jobs: Processes to use.

        Raises:
            StoreError: A process died.
        """
        packed = trees.packed() if isinstance(trees, Repeatable) and jobs > 1 else None
        if packed is None or (statistics is not None and statistics.count_tokens is not estimated_tokens):
            for chunk in _chunks(trees):
                yield self.render(chunk, statistics)
            return
        chunks = _chunks(packed)
        head = list(islice(chunks, _WORTH_IT))
        if len(head) < _WORTH_IT:
            for blobs in head:
                yield self.render(map(read_tree, blobs), statistics)
            return
        for rendered in _on_other_cores(self, chain(head, chunks), jobs):
            if statistics is not None and rendered.statistics is not None:
                statistics.merge(rendered.statistics)
            yield rendered


def _batch(parts: Parts, schema: Any) -> tuple[Any, Parts, list[str]]:
    """One batch of the trees whose rows fit the columns, these trees, and what is wrong with the others."""
    import pyarrow as pa

    try:
        rows = [row for _, found in parts for row in found]
        return pa.RecordBatch.from_pylist(rows, schema=schema), parts, []
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        if len(parts) == 1:
            return None, [], [_failure(parts[0][0], error)]
        alone = [_batch([part], schema) for part in parts]
        whole = [part for _, good, _ in alone for part in good]
        broken = [text for *_, bad in alone for text in bad]
        return (_batch(whole, schema)[0] if whole else None), whole, broken


def _failure(tree: Tree, error: Exception) -> str:
    return f"tree {tree.instruction.id}: {type(error).__name__}: {error}"


def _chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, CHUNK_TREES)):
        yield chunk


# ------------------------------------------------------------------------------------------- other cores

_renderer: Renderer | None = None
"""What a worker process renders with."""


def _on_other_cores(renderer: Renderer, chunks: Iterable[list[bytes]], jobs: int) -> Iterator[Rendered]:
    waiting: deque[Future[Rendered]] = deque()
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=spawn, initializer=_start, initargs=(renderer,)) as pool:
        try:
            for chunk in chunks:
                waiting.append(pool.submit(_render, chunk))
                if len(waiting) > 2 * jobs:  # bounds memory
                    yield _unpacked(waiting.popleft().result())
            while waiting:
                yield _unpacked(waiting.popleft().result())
        except BrokenProcessPool as error:
            raise StoreError(
                "A process of the export died, likely for lack of memory. Export with fewer: --jobs 1."
            ) from error
        finally:
            for future in waiting:
                future.cancel()


def _start(renderer: Renderer) -> None:
    import pyarrow as pa

    global _renderer
    _renderer = renderer
    # The default pool keeps tens of MiB more for chunks this small.
    pa.set_memory_pool(pa.system_memory_pool())


def _render(blobs: list[bytes]) -> Rendered:
    import pyarrow as pa

    assert _renderer is not None
    rendered = _renderer.render(map(read_tree, blobs), Statistics() if _renderer.count else None)
    for key, batch in rendered.batches.items():
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as stream:
            stream.write_batch(batch)
        rendered.batches[key] = sink.getvalue().to_pybytes()
    return rendered


def _unpacked(rendered: Rendered) -> Rendered:
    import pyarrow as pa

    for key, data in rendered.batches.items():
        with pa.ipc.open_stream(data) as stream:
            rendered.batches[key] = stream.read_next_batch()
    return rendered
