"""Python programs in text that models write: code blocks as CommonMark reads them, and which of them is the program.

The rules, which `docs/outputs.md` states for users:

- A block is Python by its info string (`python`, `py`, `python3`, …). A block without one is Python where no block
  says so and it is a program (it parses, and does more than name a value). Blocks of other languages are text.
- The program is the last block, preceded by those earlier blocks that define what it uses: a block that continues
  the one before belongs to it, two whole programs are never joined.
- A block at the end that can be no program (an example session, a mere value, a fragment whose names nothing
  defines) does not take the place of a program before it.
"""

from __future__ import annotations

import ast
import builtins
import functools
import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

MAX_CODE = 100_000
"""Characters of code that are parsed; longer code does not count as passing the syntax check."""

_PYTHON = frozenset(
    {
        "python",
        "python3",
        "python2",
        "py",
        "py3",
        "ipython",
        "ipython3",
        "jupyter",
        "tool_code",
        "code-python",
    }
)
_INFO = re.compile(r"[{. ]*([\w+#-]*)")
_GLUED = re.compile(r"(?<=[^\s`~])[ \t]*(```+(?:python3?|py)[ \t]*)$", re.MULTILINE | re.IGNORECASE)
_FENCE = re.compile(r"(?P<before>[ \t>*+\-\d.)]*)(?P<marks>`{3,}|~{3,})(?P<info>[^`]*)$")
MAX_BLOCKS = 256
"""Code blocks of one text that are looked at; a model that writes more is in a loop."""
_CONTEXT = 12
"""Lines above a fence that can say what it stands in."""
_MAX_INDENT = 32
"""Columns; what is indented deeper is no part of a list that anybody writes."""
_SESSION = re.compile(r"^\s*(?:>>> |In \[\d+\]:)")
_BUILTIN = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__", "display"}
_DOES = (
    ast.Call, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef,
    ast.Import, ast.ImportFrom, ast.For, ast.While, ast.With,
)  # fmt: skip
_UNREADABLE = (SyntaxError, ValueError, MemoryError, RecursionError, OverflowError)


@dataclass(frozen=True, slots=True)
class Block:
    """One code block of a text."""

    language: str
    """First word of its info string, in lower case; empty where it has none."""
    code: str
    """What it holds, without the indentation of what it stands in."""
    start: int
    """First line of the block in the text, from 0, its fence included."""
    end: int
    """The line after its last one."""

    @property
    def python(self) -> bool:
        """Whether it says that it is Python."""
        return self.language in _PYTHON


def code_blocks(text: str) -> list[Block]:
    """The fenced code blocks of a text, in order, as CommonMark reads them.

    Lines end at line feeds here: replace others first (see `with_line_feeds`). An indented block that holds nothing
    but a fenced one is read as that one.
    """
    found: list[Block] = []
    for token in _markdown().parse(_around_fences(text)):
        if token.map is None:
            continue
        start, end = token.map
        if token.type == "fence":
            language = _INFO.match(token.info.strip())
            name = language[1].lower() if language else ""
            found.append(Block(name, token.content.rstrip("\n"), start, end))
        elif token.type == "code_block" and token.content.lstrip().startswith(("```", "~~~")):
            found += (
                Block(block.language, block.code, start + block.start, start + block.end)
                for block in code_blocks(token.content)
            )
    return found


def _around_fences(text: str) -> str:
    """The text with every line blanked that stands in no block and not near above one, however long it is.

    What is left decides which blocks there are; a parser of nested lists takes cubic time on what a model in a loop
    writes. Line numbers stay as they are.
    """
    lines = text.split("\n")
    kept: list[str] = [""] * len(lines)
    opened: re.Match[str] | None = None
    blocks = 0
    for number, line in enumerate(lines):
        fence = _FENCE.match(line)
        if opened is not None:
            kept[number] = line
            if (
                fence is not None
                and fence["marks"].startswith(opened["marks"])
                and not fence["info"].strip()
                and len(fence["before"]) < len(opened["before"]) + 4
            ):
                opened = None
        elif fence is not None and len(line) - len(line.lstrip()) <= _MAX_INDENT:
            opened = fence
            blocks += 1
            if blocks > MAX_BLOCKS:
                break
            for above in range(max(0, number - _CONTEXT), number + 1):
                if len(lines[above]) - len(lines[above].lstrip()) <= _MAX_INDENT:
                    kept[above] = lines[above]
    return "\n".join(kept)


def with_line_feeds(text: str) -> str:
    """The text with every line end as a line feed."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def split_program(text: str, earlier: Iterable[str] = ()) -> tuple[str | None, str]:
    """Takes the program out of a text.

    Args:
        text: What a model wrote, with line feeds.
        earlier: Code that has run before, whose names the program may use.

    Returns:
        The program (None where there is none), and the text without its blocks.
    """
    if "```" not in text and "~~~" not in text:
        return None, text
    blocks = code_blocks(text)
    if not any(block.python for block in blocks):
        # "The code: ```python" begins no block for CommonMark; models write it, and mean one.
        unglued = _GLUED.sub(r"\n\1", text)
        if unglued != text and any(block.python for block in code_blocks(unglued)):
            text, blocks = unglued, code_blocks(unglued)
    chosen = choose_program(blocks, earlier)
    if not chosen:
        return None, text
    lines = text.split("\n")
    for block in reversed(chosen):
        del lines[block.start : block.end]
    return "\n".join(block.code for block in chosen), "\n".join(lines)


def choose_program(blocks: Sequence[Block], earlier: Iterable[str] = ()) -> list[Block]:
    """The blocks that make up the program, in order (see the module's rules); empty where there is none."""
    candidates = [block for block in blocks if block.python and block.code.strip()]
    if not candidates:
        candidates = [block for block in blocks if not block.language and is_program(block.code)]
    if len(candidates) < 2:
        return candidates
    known = frozenset[str]().union(*(_names(code)[0] for code in earlier))
    names = [_names(block.code) for block in candidates]
    closures = [_closure(names, last) for last in range(len(candidates))]
    for last in reversed(range(len(candidates))):
        numbers, missing = closures[last]
        code = candidates[last].code
        if _SESSION.match(code) or (syntax_ok(code) and not is_program(code)):
            continue
        if missing <= known:
            return [candidates[number] for number in numbers]
    numbers, _ = closures[-1]
    return [candidates[number] for number in numbers]


def is_program(code: str) -> bool:
    """Whether `code` parses as Python and does something: a mere name, value or formula is no program."""
    tree = _parsed(code)
    return tree is not None and any(isinstance(node, _DOES) for node in ast.walk(tree))


def syntax_ok(code: str) -> bool:
    """Whether `code` passes Python's syntax check, as a notebook cell (top-level `await` allowed). Nothing runs."""
    if len(code) > MAX_CODE:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(code, "<action>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except _UNREADABLE:
        return False
    return True


def _parsed(code: str) -> ast.Module | None:
    if len(code) > MAX_CODE:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(code)
    except _UNREADABLE:
        return None


def _closure(
    names: Sequence[tuple[frozenset[str], frozenset[str]]], last: int
) -> tuple[list[int], frozenset[str]]:
    """Block `last` with the earlier ones that define what it uses, and the names that none of them defines."""
    chosen = [last]
    missing = names[last][1]
    for number in reversed(range(last)):
        bound, free = names[number]
        if missing & bound:
            chosen.insert(0, number)
            missing = (missing - bound) | free
    return chosen, missing


def _names(code: str) -> tuple[frozenset[str], frozenset[str]]:
    """Names that a block defines at its top level, and names it uses that it does not define."""
    tree = _parsed(code)
    if tree is None:
        return frozenset(), frozenset()
    bound: set[str] = set()
    used: set[str] = set()
    local: set[str] = set()
    early: set[str] = set()
    for statement in tree.body:
        here: set[str] = set()
        for node in ast.walk(statement):
            match node:
                case ast.Name(id=name, ctx=ast.Load()):
                    used.add(name)
                    here.add(name)
                case ast.Name(id=name):
                    local.add(name)
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    local.add(node.name)
                case ast.arg():
                    local.add(node.arg)
                case ast.alias():
                    local.add((node.asname or node.name).partition(".")[0])
                case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                    local.add(name)
        # At the top level, a name that is used before it is defined (`x = x + 1`) comes from an earlier block.
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            early |= here - bound - _inner(statement)
        bound |= _bound_by(statement)
    return frozenset(bound), frozenset(((used - local) | (early & bound) | (early - local)) - _BUILTIN)


def _inner(statement: ast.stmt) -> set[str]:
    """Names that a statement binds for its own parts: loop variables, parameters, comprehension targets."""
    found: set[str] = set()
    for node in ast.walk(statement):
        if node is statement and isinstance(node, ast.If | ast.While | ast.Try | ast.With | ast.For):
            found |= _bound_by(statement)  # what its body defines, in whatever order
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.comprehension | ast.For | ast.AsyncFor):
            found |= {name.id for name in ast.walk(node.target) if isinstance(name, ast.Name)}
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            found |= {name.id for name in ast.walk(node.optional_vars) if isinstance(name, ast.Name)}
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
        elif isinstance(node, ast.NamedExpr):
            found.add(node.target.id)
    return found


def _bound_by(statement: ast.stmt) -> set[str]:
    """Names that a top-level statement defines for those after it."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    found: set[str] = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
    return found


@functools.cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    # Block structure alone: what stands within a paragraph is of no interest, and costs most of the time.
    return MarkdownIt("commonmark").disable(["inline", "html_block", "reference"])
