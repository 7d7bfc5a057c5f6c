"""From what a model wrote to an action, and from an action to its published rendering.

The actor writes `<thought>`, `<execute>` and `<solution>`; published rows have none of these tags. Models
often write a fenced block or a bare `Answer:` instead: both are understood, so that a slip of format is not
a wrong answer.
"""

from __future__ import annotations

import ast
import re
import warnings

from ultrainteract.schema import Action, Exchange, Instruction, ReasoningSchema, Task

_MOST_CODE = 100_000
"""Characters of code that are parsed; longer code does not count as passing the syntax check."""

_FENCE = re.compile(r"```(?:python3?|py)?[ \t]*\n(.*?)(?:\n```|\Z)", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<(?:thought|execute|solution)>")
_ANSWER = re.compile(
    r"^[*_ \t]*(?:the )?(?:final )?answer(?: is)?[*_ \t]*[::]?[*_ \t]*\n?(?P<text>.*)\Z",
    re.DOTALL | re.IGNORECASE,
)
_ANSWER_LINE = re.compile(
    r"^[ \t*_]*(?:final )?answer[ \t*_]*[::][ \t*_]*\n?(?P<text>.+?)[ \t*_]*$", re.IGNORECASE | re.MULTILINE
)


def parse_action(
    raw: str, instruction: Instruction, schema: ReasoningSchema, exchanges: tuple[Exchange, ...] = ()
) -> Action:
    """Reads a completion.

    Args:
        raw: The completion as written.
        instruction: The instruction it answers.
        schema: The reasoning schema that was asked for.
        exchanges: Tool calls made before it, within this turn.

    Returns:
        The action, with `code` and `answer` where it has them; its `text` is the published rendering.
    """
    thought, code, solution = _tag(raw, "thought"), _tag(raw, "execute"), _tag(raw, "solution")
    if thought is None and code is None and solution is None:
        thought = raw.strip()
    if code is not None:
        code = _unfence(code)
    elif solution is not None and instruction.task.kind is Task.CODING:
        code, solution = _unfence(solution), None
    else:
        for source in ("thought", "solution"):
            text = thought if source == "thought" else solution
            found = list(_FENCE.finditer(text)) if text else []
            if not text or not found:
                continue
            code = "\n".join(match.group(1).rstrip() for match in found)
            rest = _FENCE.sub("", text).strip()
            thought, solution = (rest, solution) if source == "thought" else (thought, rest or None)
            break
    code = code.strip("\n") if code and code.strip() else None
    answer = _answer(solution, thought)
    if thought is not None and solution is None and answer is not None:
        thought = _ANSWER_LINE.sub("", thought).rstrip() or thought
    return Action(
        raw=raw,
        reasoning_schema=schema,
        text=_render(instruction, thought or "", code, answer),
        code=code,
        answer=answer,
        syntax_ok=code is None or syntax_ok(code),
        exchanges=exchanges,
    )


def syntax_ok(code: str) -> bool:
    """Whether `code` passes Python's syntax check, as a notebook cell (top-level `await` allowed). Nothing runs."""
    if len(code) > _MOST_CODE:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(code, "<action>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except (SyntaxError, ValueError, MemoryError, RecursionError, OverflowError):
        return False
    return True


def _tag(raw: str, name: str) -> str | None:
    """The contents of all `<name>` blocks, joined; an unclosed one reaches to the next tag or the end."""
    # By search for fixed strings: one expression for all of it costs milliseconds on a long text, on the event loop.
    opening, closing = f"<{name}>", f"</{name}>"
    parts: list[str] = []
    at, close = raw.find(opening), 0
    while at >= 0:
        begin = at + len(opening)
        if 0 <= close < begin:  # one that is missing, or lies ahead, is not looked for again
            close = raw.find(closing, begin)
        end = len(raw) if close < 0 else close
        if (tag := _TAG.search(raw, begin, end)) is not None:
            end = after = tag.start()
        else:
            after = end if close < 0 else close + len(closing)
        parts.append(raw[begin:end])
        at = raw.find(opening, after)
    return "\n".join(part.strip("\n").rstrip() for part in parts).strip("\n") if parts else None


def _unfence(text: str) -> str:
    found = [match.group(1) for match in _FENCE.finditer(text)]
    return "\n".join(part.rstrip() for part in found) if found else text


def _answer(solution: str | None, thought: str | None) -> str | None:
    if solution is not None:
        match = _ANSWER.match(solution.strip())
        return (match.group("text") if match else solution).strip() or None
    if thought is None:
        return None
    lines = list(_ANSWER_LINE.finditer(thought))
    if lines:
        return lines[-1].group("text").strip()
    start = thought.rfind("\\boxed")
    return _boxed(thought[start:]) if start >= 0 else None


def _boxed(text: str) -> str | None:
    r"""The balanced `\boxed{…}` that `text` begins with."""
    depth = 0
    for position, character in enumerate(text):
        if character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
            if depth == 0:
                return text[: position + 1]
    return None


def _render(instruction: Instruction, thought: str, code: str | None, answer: str | None) -> str:
    parts = [thought.strip()] if thought.strip() else []
    if code is not None:
        parts.append(f"```python\n{code}\n```")
    text = "\n".join(parts)
    if answer is None or (code is not None and instruction.task.runs_program):
        return text
    if instruction.task.kind is Task.LOGIC:
        return f"{text}\nAnswer:{answer}".lstrip("\n")
    return f"{text}\n\nAnswer:\n{answer}".lstrip("\n")
