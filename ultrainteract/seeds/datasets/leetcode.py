"""LeetCode contest problems of DeepSeek-Coder's evaluation (arXiv 2401.14196)."""

from __future__ import annotations

from collections.abc import Iterator

from ultrainteract.config import SeedConfig
from ultrainteract.readers.rows import Row
from ultrainteract.seeds.datasets.humaneval import asserts
from ultrainteract.seeds.problem import Problem
from ultrainteract.seeds.registry import Benchmark, dataset

_PREAMBLE = """import bisect, collections, copy, datetime, functools, heapq
import itertools, math, operator, random, re, string, sys
from bisect import *
from collections import *
from functools import *
from heapq import *
from itertools import *
from math import *
from typing import *
"""
"""What LeetCode's own editor has imported."""


@dataset(
    "leetcode",
    tasks=("Coding",),
    benchmark=Benchmark("all assertions hold within 10 s", 180),
)
def load(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """LeetCode: task_id, prompt_sft, test, meta.difficulty."""
    yield Problem(
        question=row.text("prompt_sft", "prompt"),
        grader="tests",
        tests=asserts(row.text("test"), preamble=_PREAMBLE, time_limit_s=10.0),
        difficulty=row.optional_text("meta.difficulty"),
        record_id=row.text("task_id"),
    )
