r"""From what a model wrote to an action, and from an action to its published rendering.

The actor writes `<thought>`, `<execute>` and `<solution>`; published rows have none of these tags. Models often write
a code block, a bare `Answer:`, `#### 5` or `\boxed{5}` instead: all are understood, so that a slip of format is not a
wrong answer. `docs/outputs.md` states the rules for users; what cannot be read with certainty gives no code and no
answer, which leaves the action undetermined.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from ultrainteract.readers.code import split_program, syntax_ok, with_line_feeds
from ultrainteract.schema import Action, Exchange, Instruction, ReasoningSchema, Task

__all__ = ["own_words", "parse_action", "syntax_ok", "take_answer"]

_NAMES = ("thought", "execute", "solution")
_TAG = re.compile(r"<(/?)(thought|execute|solution)>")
_MAX_PROBLEMS = 32
"""Lines that may begin an invented problem which are looked at."""
_MAX_TRIES = 8
"""Ends of a program's block that are tried until it is Python."""
_LINE_START = re.compile(r"[ \t]*(?:[>#]+[ \t]*|[-+*][ \t]+|\d+[.)][ \t]+)?[*_]*[ \t]*")
_CHAT_END = re.compile(
    r"<\|(?:im_end|im_start|endoftext|eot_id|end_of_text|start_header_id|end)\|>"
    r"|<(?:end_of_turn|start_of_turn)>|\[/?INST\]"
)
"""Tokens of chat templates: what follows them is no part of the action."""
_NEXT_PROBLEM = re.compile(
    r"^[ \t]*(?:#+[ \t]*|[*_]+)?(?:(?:next|new|another)[ \t]+)?"
    r"(?P<kind>question|problem|exercise|instruction|Q|user|human)(?P<number>[ \t]*\d+)?[*_]*"
    r"[ \t]*[::][*_ \t]*(?P<said>.*)$",
    re.IGNORECASE | re.MULTILINE,
)
_EMPHASIS = r"(?P<open>\*{1,3}|_{1,3}|`)?"
_MARKER = re.compile(
    rf"^[ \t]*(?P<head>#+[ \t]*)?(?:>[ \t]*|[-+*•][ \t]+|\d+[.)][ \t]+)?{_EMPHASIS}"
    r"(?:(?:so|thus|therefore|hence),?[ \t]+)?(?:(?:the|my|your)[ \t]+)?(?:(?:final|correct)[ \t]+)?"
    r"answer(?![A-Za-z0-9(]|_+\w)(?P<mid>[*_`]*)[ \t]*(?:is[ \t]*)?(?P<colon>[::])?(?P<after>[*_`]*)[ \t]*",
    re.IGNORECASE | re.MULTILINE,
)
_HASHES = re.compile(
    r"^[ \t]*####[ \t]*(?P<text>(?!.*\banswer\b)[^#\s].*?)[ \t]*$", re.MULTILINE | re.IGNORECASE
)
_CONCLUSION = re.compile(
    r"(?:^|(?<=[.!,:*_\s]))the (?:final |correct )?answer is[ \t]*:?[ \t]*"
    r"(?P<text>(?:[^.\n]|\.(?=\S)){1,120})\.?[*_\s]*\Z",
    re.IGNORECASE,
)
_DISPLAY = {"\\[": "\\]", "$$": "$$"}


def parse_action(
    raw: str,
    instruction: Instruction,
    schema: ReasoningSchema,
    exchanges: tuple[Exchange, ...] = (),
    earlier: Sequence[str] = (),
    reasoning: str | None = None,
) -> Action:
    """Reads a completion.

    Args:
        raw: The completion as written, without its reasoning part.
        instruction: The instruction it answers.
        schema: The reasoning schema that was asked for.
        exchanges: Tool calls made before it, within this turn.
        earlier: Code of the turns before, whose names its program may use.
        reasoning: The reasoning part, kept beside the action.

    Returns:
        The action, with `code` and `answer` where it has them; its `text` is the published rendering.
    """
    text = own_words(with_line_feeds(raw), instruction)
    before = [*earlier, *(exchange.code for exchange in exchanges if exchange.code is not None)]
    found = _tagged(text)
    thought, code, solution = (found.get(name) for name in _NAMES)
    if not found:
        thought = text.strip()
    if code is not None:
        code = _unfenced(code, before)
    elif solution is not None and instruction.task.kind is Task.CODING:
        code, solution = _unfenced(solution, before), None
    else:
        for part in (thought, solution):
            program, rest = split_program(part or "", before)
            if program is None:
                continue
            code = program
            if part is thought:
                thought = rest.strip()
            else:
                solution = rest.strip() or None
            break
    code = code.strip("\n") if code and code.strip() else None
    answer = _stated(solution) if solution is not None else None
    if thought is not None and solution is None:
        thought, answer = take_answer(thought)
    return Action(
        raw=raw,
        reasoning_schema=schema,
        text=_render(instruction, thought or "", code, answer),
        code=code,
        answer=answer,
        syntax_ok=code is None or syntax_ok(code),
        exchanges=exchanges,
        reasoning=reasoning,
    )


# ------------------------------------------------------------------------------------ where the action ends


def own_words(text: str, instruction: Instruction) -> str:
    """The text up to where the model talks on: a token of the chat template, or a next problem that it invents.

    A next problem is a line such as `Question: …` after an answer or a program, unless it repeats the instruction.
    """
    end = _CHAT_END.search(text)
    if end is not None and text[: end.start()].strip():
        text = text[: end.start()]
    for line in islice(_NEXT_PROBLEM.finditer(text), _MAX_PROBLEMS):
        said = line["said"].strip(" *_")
        head = text[: line.start()]
        parts = line["number"] and re.search(rf"\b{line['kind']}[ \t]*\d", head, re.IGNORECASE)
        if (said and said in instruction.question) or parts:  # the problem restated, or its parts one by one
            continue
        if _open_tag(head) is None and _answers(head):
            return head
    return text


def _open_tag(text: str) -> str | None:
    """The tag that is still open at the end of a text."""
    last = None
    for tag in _TAG.finditer(text):
        last = None if tag[1] else tag[2]
    return last


def _answers(text: str) -> bool:
    """Whether a text gives an answer or a whole program: what comes after it may be another problem."""
    if len(re.findall(r"^[ \t>]*(?:```|~~~)", text, re.MULTILINE)) % 2:
        return False  # within a code block
    if any(mark in text for mark in ("<solution>", "</execute>", "\\boxed{")) or _HASHES.search(text):
        return True
    return any(match["colon"] for match in _MARKER.finditer(text)) or split_program(text)[0] is not None


# --------------------------------------------------------------------------------------------------- tags


def _tagged(text: str) -> dict[str, str]:
    """The contents of the tags, by name; several blocks of one name are joined, but for programs: the last counts.

    A tag counts where it begins a line, or follows another tag; one that is named in a sentence or in backticks is no
    tag. Where none does, tags within a line count if they are closed on it. An open block reaches to the next tag, or
    to the end; a closing tag or a tag within a string of the program is part of the program.
    """
    if "<" not in text:
        return {}
    parts = _blocks(text, strict=True) or _blocks(text, strict=False)
    found: dict[str, list[str]] = {}
    for name, content in parts:
        found.setdefault(name, []).append(content.strip("\n").rstrip())
    programs = [part for part in found.get("execute", ()) if part.strip()]
    if programs:
        from ultrainteract.readers.code import Block, choose_program

        chosen = choose_program([Block("python", _bare(part), 0, 0) for part in programs])
        found["execute"] = [block.code for block in chosen] or programs[-1:]
    return {name: "\n".join(contents).strip("\n") for name, contents in found.items()}


@dataclass(frozen=True, slots=True)
class _Tag:
    """A tag in a text."""

    name: str
    start: int
    end: int
    closing: bool
    begins: bool
    """Whether nothing but list marks, emphasis and other tags stands before it in its line."""


def _tags(text: str) -> list[_Tag]:
    """All tags of a text, in one pass over it."""
    found: list[_Tag] = []
    for match in _TAG.finditer(text):
        before = found[-1] if found else None
        gap = text[before.end : match.start()] if before is not None else text[: match.start()]
        if before is not None and "\n" not in gap:
            begins = not gap.strip(" \t") and (before.begins or before.closing)
        else:
            begins = _LINE_START.fullmatch(gap.rpartition("\n")[2]) is not None
        found.append(_Tag(match[2], match.start(), match.end(), bool(match[1]), begins))
    return found


def _blocks(text: str, *, strict: bool) -> list[tuple[str, str]]:
    tags = _tags(text)
    parts: list[tuple[str, str]] = []
    at = 0
    while at < len(tags):
        tag = tags[at]
        if tag.closing or not (tag.begins if strict else _closed_in_line(text, tags, at)):
            at += 1
            continue
        end, at = _block_end(text, tags, at, strict=strict)
        parts.append((tag.name, text[tag.end : end]))
    return parts


def _closed_in_line(text: str, tags: Sequence[_Tag], at: int) -> bool:
    """Whether a tag within a line is closed on it around something, and is not quoted."""
    tag = tags[at]
    if at + 1 == len(tags) or not tags[at + 1].closing or tags[at + 1].name != tag.name:
        return False
    inside = text[tag.end : tags[at + 1].start]
    quoted = text[max(0, tag.start - 1) : tag.start] in ("`", '"', "'")
    return "\n" not in inside and bool(inside.strip(" .…")) and not quoted


def _block_end(text: str, tags: Sequence[_Tag], at: int, *, strict: bool) -> tuple[int, int]:
    """Where the content of the block that `tags[at]` opens ends, and the tag to go on with."""
    opening = tags[at]
    program = opening.name == "execute"
    first: tuple[int, int] | None = None
    tries = 0
    for number in range(at + 1, len(tags)):
        tag = tags[number]
        if tag.closing and tag.name == opening.name:
            ends = tag.start, number + 1
        elif not tag.closing and tag.begins and strict:
            ends = tag.start, number
        else:
            continue
        first, tries = first or ends, tries + 1
        if not program or tries > _MAX_TRIES:
            return first
        if syntax_ok(_bare(text[opening.end : ends[0]])):
            return ends
    return first or (len(text), len(tags))


def _bare(code: str) -> str:
    """A program without the indentation that all of its lines share."""
    return textwrap.dedent(code.strip("\n")) if code[:1].isspace() else code


def _unfenced(text: str, earlier: Sequence[str]) -> str:
    """The program in a block that holds it, perhaps in a code block of its own: whole where it is Python as it is."""
    bare = _bare(text)
    if ("```" not in text and "~~~" not in text) or syntax_ok(bare):
        return bare
    program, _ = split_program(text, earlier)
    return program if program is not None else bare


# ------------------------------------------------------------------------------------------------ answers


def _stated(solution: str) -> str | None:
    """The answer in a solution block: all of it, without a marker before it."""
    solution = solution.strip()
    marker = _MARKER.match(solution)
    if marker is None:
        hashes = _HASHES.fullmatch(solution)
        return (hashes["text"] if hashes else _plain(solution)) or None
    return _plain(solution[marker.end() :].strip(), marker) or None


def take_answer(thought: str) -> tuple[str, str | None]:
    """The thought without the line that states the answer, and that answer: the last of those marked as one."""
    markers = [match for match in _MARKER.finditer(thought) if match["colon"] or _is_heading(thought, match)]
    lines = [(match.start(), match) for match in (*markers, *_HASHES.finditer(thought))]
    if lines:
        last = max(lines, key=lambda item: item[0])[1]
        if last.re is _HASHES:
            return (thought[: last.start()] + thought[last.end() :]).rstrip(), last["text"]
        text, end = _after(thought, last.end())
        answer = _plain(text, last)
        if answer:
            rest = thought
            for match in reversed(markers):
                stop = end if match is last else _after(thought, match.end())[1]
                rest = rest[: match.start()] + rest[stop:]
            return rest.rstrip(), answer
    start = thought.rfind("\\boxed")
    if start >= 0:
        return thought, _boxed(thought[start:])
    concluded = _CONCLUSION.search(thought[-500:])
    return thought, (_plain(concluded["text"]) or None) if concluded else None


def _is_heading(text: str, marker: re.Match[str]) -> bool:
    """Whether a marker without a colon stands alone on its line, as a heading or in bold."""
    alone = text[marker.end() : marker.end() + 1] in ("\n", "")
    return alone and bool(marker["head"] or (marker["open"] or "").startswith(("**", "__")))


def _after(text: str, at: int) -> tuple[str, int]:
    """What stands after a marker: the rest of its line, or the next line that is not empty; display math whole."""
    while at < len(text) and text[at].isspace():
        at += 1
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    opener = next((opener for opener in _DISPLAY if text.startswith(opener, at)), None)
    if opener is not None:
        close = text.find(_DISPLAY[opener], at + len(opener))
        if close >= end:
            end = close + len(_DISPLAY[opener])
    return text[at:end], end


def _plain(text: str, marker: re.Match[str] | None = None) -> str:
    """An answer without the emphasis around it, or the end of one that began before its marker."""
    text = text.strip()
    opened = marker["open"] if marker is not None else None
    if marker is not None and opened and opened not in (marker["mid"], marker["after"]):
        text = text.replace(opened, "", 1).rstrip() if text.count(opened) == 1 else text
    elif marker is not None and marker["after"] and marker["after"] != opened:  # `Answer: **5**`
        text = marker["after"] + text
    for sign in ("***", "**", "__", "*", "_", "`"):
        inner = text[len(sign) : -len(sign)]
        if len(text) > 2 * len(sign) and text.startswith(sign) and text.endswith(sign) and sign not in inner:
            return inner.strip()
    return text


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


# ---------------------------------------------------------------------------------------------- rendering


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
