"""What numpy and pandas print, brought into the notation that Python itself prints.

An array has no commas and a pandas Series is a column of labelled lines. Both are rewritten as lists; a printed table
(a DataFrame) says nowhere which of its cells is meant, so it states no answer.
"""

from __future__ import annotations

import re

_SERIES_END = re.compile(r"(?:(?:Name|Length|Freq): [^\n]*?, )*dtype: \S+")
_ROW = re.compile(r"(?P<label>\S(?:.*?\S)?)?\s{2,}(?P<value>\S.*)")
_PLAIN = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|True|False|None|NaN|nan|inf|-inf")
_TOKEN = re.compile(r"\s*('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|\[|\]|[^\s\[\]'\",(){}:=]+|,)")
MAX_ARRAY = 20_000
"""Longest array that is rewritten, characters."""


def rewritten_series(output: str) -> str:
    """The output with every pandas Series in it as a list, or as its value where it has only one.

    Args:
        output: A program's whole output.
    """
    if "dtype: " not in output:
        return output
    lines = output.split("\n")
    out: list[str] = []
    for line in lines:
        if not _SERIES_END.fullmatch(line.strip()):
            out.append(line)
            continue
        values: list[str] = []
        while out and (row := _ROW.fullmatch(out[-1].rstrip())) and row["label"] not in ("..", "..."):
            values.insert(0, _quoted(row["value"]))
            out.pop()
        if values:
            out.append(values[0].strip("'") if len(values) == 1 else "[" + ", ".join(values) + "]")
        else:
            out.append(line)
    return "\n".join(out)


def is_table(output: str) -> bool:
    """True where the output ends in a printed DataFrame: an indented header above rows numbered from 0."""
    lines = [line for line in output.rstrip().split("\n") if line.strip()]
    if lines and re.fullmatch(r"\[\d+ rows x \d+ columns\]", lines[-1].strip()):
        return True
    for start in range(len(lines) - 1):
        rows = lines[start + 1 :]
        indented = start == 0 or lines[start][:1] in " \t"
        if indented and all(re.match(rf"{number}\s{{2,}}\S", row) for number, row in enumerate(rows)):
            return True
    return False


def with_commas(line: str) -> str:
    """An array as numpy prints it (`['Italy' 'Spain']`, `[1. 2.]`, `[[1 2] [3 4]]`) with commas between its members.

    Args:
        line: One printed value; anything but an array comes back as it is.
    """
    if not (line.startswith("[") and line.endswith("]")) or len(line) > MAX_ARRAY or "..." in line:
        return line
    tokens, position = [], 0
    while position < len(line):
        found = _TOKEN.match(line, position)
        if found is None:
            return line
        tokens.append(found[1])
        position = found.end()
        if found[1] == ",":
            return line
    out = ""
    for before, token in zip([None, *tokens], tokens, strict=False):
        between = before not in (None, "[") and token != "]"
        out += (", " if between else "") + (token if token in "[]" else _quoted(token))
    return out


def _quoted(value: str) -> str:
    return value if _PLAIN.fullmatch(value) or value[:1] in "'\"" else repr(value)
