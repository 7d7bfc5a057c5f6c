"""Topics of problems: clusters of hashed word counts, by which a stratum is divided.

A problem is a vector of hashed words, weighted by how rare they are (inverse document frequency), projected to 256
dimensions, and scaled to length 1. Clusters begin at the problems that are farthest from all earlier ones, so that a
small cluster apart from the rest gets a centre of its own, and are then moved by a few rounds of spherical k-means.
Everything is computed in numpy in a fixed order.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BUCKETS = 1024
"""Hashed words."""
DIMENSIONS = 256
"""Of a problem's vector."""
_FIT = 8_000
"""Problems that centres are found with."""
_ROUNDS = 4
_WORD = re.compile(r"\w+")
_BLOCK = 16_384


def word_counts(text: str) -> bytes:
    """Counts of a text's words by hash, one byte each, at most 255; numbers are one word."""
    counts = bytearray(BUCKETS)
    for word in _WORD.findall(text.lower()):
        bucket = zlib.crc32(b"#" if word.isdigit() else word.encode()) % BUCKETS
        counts[bucket] = min(255, counts[bucket] + 1)
    return bytes(counts)


def vectors(counts: Sequence[bytes]) -> NDArray[np.float32]:
    """Problems as unit vectors, shape (problems, `DIMENSIONS`)."""
    present = np.zeros(BUCKETS)
    for matrix in _blocks(counts):
        present += (matrix > 0).sum(axis=0)
    rarity = np.log((1 + len(counts)) / (1 + present)).astype(np.float32)
    onto = np.random.default_rng(0).standard_normal((BUCKETS, DIMENSIONS), dtype=np.float32)
    found = np.empty((len(counts), DIMENSIONS), dtype=np.float32)
    for number, matrix in enumerate(_blocks(counts)):
        weighted = np.sqrt(matrix, dtype=np.float32) * rarity
        found[number * _BLOCK : number * _BLOCK + len(matrix)] = weighted @ onto
    found /= np.maximum(np.sqrt((found * found).sum(axis=1, keepdims=True)), 1e-9)
    return found


def _blocks(counts: Sequence[bytes]) -> Iterator[NDArray[np.uint8]]:
    for start in range(0, len(counts), _BLOCK):
        block = b"".join(counts[start : start + _BLOCK])
        yield np.frombuffer(block, dtype=np.uint8).reshape(-1, BUCKETS)


def clusters(points: NDArray[np.float32], count: int, seed: int) -> NDArray[np.int64]:
    """The topic of each problem, 0 to at most `count` − 1.

    Args:
        points: Unit vectors, shape (problems, `DIMENSIONS`).
        count: Maximum number of topics.
        seed: Draws the problems that centres are found with, where there are very many.
    """
    if count <= 1 or len(points) <= 1:
        return np.zeros(len(points), dtype=np.int64)
    sample = points
    if len(points) > _FIT:
        drawn = np.random.default_rng(seed).choice(len(points), _FIT, replace=False)
        sample = points[np.sort(drawn)]
    centres = _farthest(sample, count)
    for _ in range(_ROUNDS):
        nearest = (sample @ centres.T).argmax(axis=1)
        sums = np.zeros_like(centres)
        np.add.at(sums, nearest, sample)
        norms = np.sqrt((sums * sums).sum(axis=1, keepdims=True))
        centres = np.where(norms > 0, sums / np.maximum(norms, 1e-9), centres)
    return np.concatenate(
        [
            (points[start : start + _BLOCK] @ centres.T).argmax(axis=1)
            for start in range(0, len(points), _BLOCK)
        ]
    )


def nearest(points: NDArray[np.float32], kept: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cosine of each problem with the nearest of the kept ones; zeros where none is kept."""
    if not len(kept):
        return np.zeros(len(points), dtype=np.float32)
    return np.concatenate(
        [(points[start : start + _BLOCK] @ kept.T).max(axis=1) for start in range(0, len(points), _BLOCK)]
    )


def _farthest(points: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Centres to begin with: each is the problem least like all earlier ones."""
    chosen = [0]
    closest = points @ points[0]
    while len(chosen) < min(count, len(points)):
        following = int(closest.argmin())
        if closest[following] > 0.999:
            break
        chosen.append(following)
        np.maximum(closest, points @ points[following], out=closest)
    return points[chosen]
