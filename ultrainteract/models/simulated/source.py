"""What simulated models know of a gold program: its stages, its ideas, and where it could have gone wrong.

Programs are edited where they stand in the text, one line at a time, so that layout survives and one reading of a
solution serves every sample. Nothing is run here.
"""

from __future__ import annotations

import ast
import builtins
import io
import tokenize
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

_MOST_SOURCE = 20_000
"""Characters of a solution that is read; a longer one is not worth imitating."""


@dataclass(frozen=True)
class _Site:
    """A place where one small edit makes a program wrong, as a rule."""

    line: int
    start: int
    end: int
    text: str
    weight: int


@dataclass(frozen=True)
class Program:
    """A solution, read once."""

    source: str
    """Without comments that stand alone on a line."""
    stages: tuple[tuple[int, str], ...]
    """Lines (from 0) at which a stage begins, and what the stage does."""
    sites: tuple[_Site, ...]
    """Places to go wrong."""
    ideas: tuple[str, ...]
    """What the approach rests on, as far as its shape shows."""
    wrappable: bool
    """Whether the whole program can move into a function without changing what it does."""


def read_program(source: str) -> Program | None:
    """Reads a solution; None where it is no Python or too long."""
    if len(source) > _MOST_SOURCE:
        return None
    try:
        source = _without_comment_lines(source)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError):
        return None
    if not tree.body:
        return None
    return Program(
        source=source,
        stages=tuple(_stages(tree)),
        sites=tuple(_sites(tree, source.split("\n"))),
        ideas=tuple(_ideas(tree)),
        wrappable=_wrappable(tree, source),
    )


def annotated(program: Program, source: str, first: int) -> list[str]:
    """The lines of `source` (the program's own, or an edit of it) with a step comment before each stage.

    Args:
        program: Where the stages begin.
        source: A source with the same lines.
        first: Number of the first step.
    """
    remarks = dict(program.stages)
    lines: list[str] = []
    for number, line in enumerate(source.split("\n")):
        if number in remarks:
            lines.append(f"# Step {first}: {remarks[number]}")
            first += 1
        lines.append(line)
    return lines


def wrong_program(program: Program, rng: Random) -> str:
    """The source with one or two of its places wrong; the source itself where it has none."""
    if not program.sites:
        return program.source
    weights = [site.weight for site in program.sites]
    chosen = [rng.choices(program.sites, weights)[0]]
    if rng.random() < 0.5:
        second = rng.choices(program.sites, weights)[0]
        if second.line != chosen[0].line:
            chosen.append(second)
    lines = program.source.split("\n")
    for site in chosen:
        line = lines[site.line]
        lines[site.line] = line[: site.start] + site.text + line[site.end :]
    return "\n".join(lines)


# ---------------------------------------------------------------------------------------- reading programs


def _without_comment_lines(source: str) -> str:
    source = source.replace("\r\n", "\n").replace("\t", "    ") if "'''" not in source else source
    dropped = {
        token.start[0] - 1
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT and not token.line[: token.start[1]].strip()
    }
    return "\n".join(line for n, line in enumerate(source.split("\n")) if n not in dropped).strip("\n")


def _stages(tree: ast.Module) -> Iterator[tuple[int, str]]:
    before = ""
    seen_line = -1
    for statement in tree.body:
        first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", ()))]) - 1
        remark = _remark(statement)
        if remark != before and first != seen_line:
            yield first, remark
            before = remark
        seen_line = first


def _remark(statement: ast.stmt) -> str:
    match statement:
        case ast.Import() | ast.ImportFrom():
            return "Import what is needed."
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return f"Define the function `{name}`."
        case ast.ClassDef(name=name):
            return f"Define the class `{name}`."
    called = {
        node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        for node in ast.walk(statement)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute)
    }
    reads = bool(called & {"input", "readline", "read", "readlines"})
    shows = bool(called & {"print", "write"})
    if isinstance(statement, ast.For | ast.While):
        return "Read the items one by one." if reads else "Go through the cases and keep track of the result."
    if reads:
        return "Read the input."
    if isinstance(statement, ast.If):
        return "Decide which case holds, and print accordingly." if shows else "Treat the special case."
    if shows:
        return "Print the result."
    return "Run it." if isinstance(statement, ast.Expr) else "Prepare the values that are needed."


def _ideas(tree: ast.Module) -> Iterator[str]:
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    recursive = any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function.name
        for function in functions
        for node in ast.walk(function)
    )
    if recursive:
        yield "The structure can be explored by recursion: what holds for a part follows from its neighbours."
    if names & {"dp", "memo", "cache", "lru_cache"}:
        yield "Partial results repeat, so each is computed once and kept in a table."
    if names & {"sort", "sorted"}:
        yield "Once the values are sorted, one pass over them is enough."
    if names & {"heappush", "heappop", "deque"}:
        yield "A queue gives the next item to look at in the right order."
    if names & {"dict", "set", "defaultdict", "Counter"} or any(
        isinstance(n, ast.Dict | ast.Set) for n in ast.walk(tree)
    ):
        yield "Looking values up by key avoids comparing every pair."
    depth = _depth(tree)
    if depth >= 2:
        yield f"The loops are nested {depth} deep, which the limits of the task allow."
    elif depth == 1:
        yield "A single pass over the input does it, so the running time is no concern."
    else:
        yield "A direct computation does it; no search is needed."


def _depth(node: ast.AST) -> int:
    deepest = max((_depth(child) for child in ast.iter_child_nodes(node)), default=0)
    return deepest + isinstance(node, ast.For | ast.While)


def _wrappable(tree: ast.Module, source: str) -> bool:
    lines = source.split("\n")
    stored: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Global() | ast.ClassDef():
                return False
            case ast.Name(id=name, ctx=ast.Store()):
                stored.add(name)
            case ast.Name(id="locals" | "globals" | "exec" | "eval" | "__name__"):
                return False
            case ast.ImportFrom(names=[ast.alias(name="*")]):
                return False
            case ast.Constant(value=str()) if node.end_lineno != node.lineno:
                return False  # indenting would change the text
    return not any(hasattr(builtins, name) for name in stored) and not any("\t" in line for line in lines)


# ------------------------------------------------------------------------------------------- wrong places

_COMPARISONS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", ">="), ast.LtE: ("<=", "<"), ast.Gt: (">", "<="), ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="), ast.NotEq: ("!=", "=="),
}  # fmt: skip
_OPERATORS: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "+"), ast.FloorDiv: ("//", "%"), ast.Mod: ("%", "//"),
    ast.Div: ("/", "*"),
}  # fmt: skip
_CALLS = {"min": "max", "max": "min", "any": "all", "all": "any", "sum": "len", "abs": "int"}


def _sites(tree: ast.Module, lines: Sequence[str]) -> Iterator[_Site]:
    """Places to go wrong, in order; only such as cannot make a `while` loop for ever."""
    texts = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    harmless = _harmless(tree)
    for statement in tree.body:
        if statement in harmless:
            yield from _sites_in(statement, lines, texts)
        else:
            for node in ast.walk(statement):
                if (shown := _printed(node)) is not None:
                    yield from _print_sites(lines, shown, texts)


def _harmless(tree: ast.Module) -> list[ast.stmt]:
    """The statements that no `while` depends on: all, or those behind the last one, as long as no function has one."""
    looping = [
        number
        for number, statement in enumerate(tree.body)
        if any(isinstance(node, ast.While) for node in ast.walk(statement))
    ]
    if not looping:
        return tree.body
    hidden = any(
        isinstance(tree.body[n], ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef) for n in looping
    )
    return [] if hidden else tree.body[looping[-1] + 1 :]


def _printed(node: ast.AST) -> ast.expr | None:
    match node:
        case ast.Call(func=ast.Name(id="print"), args=[argument]) if not isinstance(argument, ast.Starred):
            return argument
    return None


def _sites_in(statement: ast.stmt, lines: Sequence[str], texts: set[str]) -> Iterator[_Site]:
    pending: list[ast.AST] = [statement]
    while pending:
        node = pending.pop()
        if _is_setting(node):
            continue
        pending.extend(ast.iter_child_nodes(node))
        if (shown := _printed(node)) is not None:
            yield from _print_sites(lines, shown, texts)
        match node:
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARISONS:
                old, new = _COMPARISONS[type(op)]
                yield from _between(lines, left, right, old, new, 3)
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
                if not any(
                    isinstance(side, ast.List | ast.Constant) and not _small(side) for side in (left, right)
                ):
                    old, new = _OPERATORS[type(operator)]
                    yield from _between(lines, left, right, old, new, 2)
            case ast.AugAssign(target=target, op=operator, value=value) if type(operator) in (
                ast.Add,
                ast.Sub,
            ):
                old, new = _OPERATORS[type(operator)]
                yield from _between(lines, target, value, f"{old}=", f"{new}=", 4)
            case ast.BoolOp(op=connective, values=[left, right]):
                old, new = ("and", "or") if isinstance(connective, ast.And) else ("or", "and")
                yield from _between(lines, left, right, old, new, 3)
            case ast.Call(func=ast.Name(id="range"), args=arguments) if arguments:
                stop = arguments[0] if len(arguments) == 1 else arguments[1]
                if stop.end_lineno is not None:
                    line, end = stop.end_lineno - 1, _column(lines, stop.end_lineno - 1, stop.end_col_offset)
                    yield _Site(line, end, end, " - 1", 2)
            case ast.Call(func=ast.Name(id=name) as function) if name in _CALLS:
                start = _column(lines, function.lineno - 1, function.col_offset)
                yield _Site(function.lineno - 1, start, start + len(name), _CALLS[name], 4)
            case ast.Constant(value=int(value)) if _small(node):
                start = _column(lines, node.lineno - 1, node.col_offset)
                end = _column(lines, node.lineno - 1, node.end_col_offset)
                yield _Site(node.lineno - 1, start, end, str(value + 1), 1)


def _print_sites(lines: Sequence[str], argument: ast.expr, texts: set[str]) -> Iterator[_Site]:
    line = argument.lineno - 1
    if argument.end_lineno != argument.lineno:
        return
    start, end = (_column(lines, line, c) for c in (argument.col_offset, argument.end_col_offset))
    match argument:
        case ast.Constant(value=str(text)):
            others = sorted(other for other in texts if other != text and other.isalpha() and text.isalpha())
            if others:
                yield _Site(line, start, end, repr(others[0]), 6)
        case ast.Name() | ast.Subscript():
            yield _Site(line, end, end, " - 1", 2)
        case ast.IfExp(body=ast.Constant() as first, orelse=ast.Constant() as second):
            start, end = (_column(lines, line, c) for c in (first.col_offset, first.end_col_offset))
            yield _Site(line, start, end, repr(second.value), 6)
        case ast.BinOp() | ast.Call(func=ast.Name(id="max" | "min" | "sum" | "len" | "int" | "abs")):
            yield _Site(line, end, end, " + 1", 2)


def _small(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int and 0 <= node.value <= 20


def _is_setting(node: ast.AST) -> bool:
    """Calls whose arguments decide nothing: recursion limits, stack sizes."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("setrecursionlimit", "stack_size")
    )


def _between(
    lines: Sequence[str], left: ast.expr, right: ast.expr, old: str, new: str, weight: int
) -> Iterator[_Site]:
    """The operator `old` between two operands, where both stand on one line."""
    if left.end_lineno != right.lineno or left.end_col_offset is None:
        return
    line = right.lineno - 1
    start, end = _column(lines, line, left.end_col_offset), _column(lines, line, right.col_offset)
    at = lines[line].find(old, start, end)
    if at >= 0:
        yield _Site(line, at, at + len(old), new, weight)


def _column(lines: Sequence[str], line: int, offset: int | None) -> int:
    """Characters before a byte offset, as `ast` counts."""
    text = lines[line]
    return (offset or 0) if text.isascii() else len(text.encode()[: offset or 0].decode(errors="ignore"))
