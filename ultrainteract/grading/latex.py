r"""One surface form for the many ways to write the same LaTeX, and a check that it is well formed.

Only spelling is unified here (`\dfrac12` and `\frac{1}{2}`, `\left(` and `(`, `10,\!000` and `10,000`): never
anything that could change a value. Guarantee: `clean` is pure, linear in the text, and raises `Malformed`
instead of guessing.
"""

from __future__ import annotations

import re

MAX_CHARS = 4_000
"""Longest expression that is read; anything longer is no final answer."""

MAX_DEPTH = 50
"""Deepest nesting of brackets that is read, far below any limit of recursion."""


class Malformed(ValueError):
    """The text is not a well-formed expression; the message says why."""


class Unreadable(ValueError):
    """The text has no shape that is known here; the message says why."""


_UNICODE = str.maketrans(
    {
        "−": "-", "–": "-", "—": "-", "﹣": "-", "－": "-", "×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ",
        "∙": r"\cdot ", "÷": "/", "⁄": "/", "∕": "/", "π": r"\pi ", "∞": r"\infty ", "∪": r"\cup ", "∩": r"\cap ",
        "∈": r"\in ", "ℝ": r"\mathbb{R}", "∅": r"\emptyset ", "≤": "<=", "⩽": "<=", "≥": ">=", "⩾": ">=",
        "≠": "!=", "≈": r"\approx ", "±": r"\pm ", "∓": r"\mp ", "°": "°", "º": "°", "˚": "°", "θ": r"\theta ",
        "α": r"\alpha ", "β": r"\beta ", "γ": r"\gamma ", "λ": r"\lambda ", "μ": r"\mu ", "ω": r"\omega ",
        "φ": r"\phi ", "ρ": r"\rho ", "⟨": r"\langle ", "⟩": r"\rangle ", "∠": r"\angle ", "△": r"\triangle ",
        "％": "%", "＄": "$", "，": ",", "（": "(", "）": ")", "：": ":", "“": '"', "”": '"', "‘": "'", "’": "'",
        "∨": r"\lor ", "∧": r"\land ", "∖": r"\setminus ", "¢": " cents", "\u2009": " ", "\u202f": " ",
        "\u00a0": " ", "\u200b": "", "\ufeff": "", "\u2061": "", "\u2062": "", "\t": " ",
    }
)  # fmt: skip
_SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ"
_SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉"
_FRACTIONS = {
    "½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅕": "1/5", "⅖": "2/5", "⅗": "3/5", "⅘": "4/5",
    "⅙": "1/6", "⅚": "5/6", "⅛": "1/8", "⅜": "3/8", "⅝": "5/8", "⅞": "7/8", "⅑": "1/9", "⅒": "1/10",
}  # fmt: skip

_DROP = re.compile(
    r"\\(?:left|right|middle|bigl|bigr|Bigl|Bigr|biggl|biggr|Biggl|Biggr|big|Big|bigg|Bigg|displaystyle|textstyle"
    r"|limits|nolimits|mathstrut)(?![A-Za-z])\.?"
)
_NEGATIVE_SPACE = re.compile(r"\s*\\!\s*|\{\}(?=\d)")
_SPACE = re.compile(r"\\[,;:>\s]|\\(?:quad|qquad|enspace|thinspace|hspace\*?\{[^{}]*\})(?![A-Za-z])|~|\\ ")
_TEXT = re.compile(
    r"\\(?:mbox|textbf|textit|textrm|textsf|texttt|textnormal|mathrm|mathbf|mathit|mathsf|operatorname\*?|emph"
    r"|bm|boldsymbol|hbox|textup|rm|bf|it)\s*\{"
)
_LETTER = re.compile(r"\\(?:math(?:bf|rm|it|sf|cal)|bm|boldsymbol|vec)\s*\{\s*([A-Za-z])\s*\}")
_OLD_FONT = re.compile(r"\{\s*\\(?:rm|bf|it)\s+([^{}]*)\}")
_COMMANDS = [
    (re.compile(r"\\[dtc]frac(?![A-Za-z])"), r"\\frac"),
    (re.compile(r"\\[dt]binom(?![A-Za-z])"), r"\\binom"),
    (re.compile(r"\\(?:leqslant|leq|le)(?![A-Za-z])"), "<="),
    (re.compile(r"\\(?:geqslant|geq|ge)(?![A-Za-z])"), ">="),
    (re.compile(r"\\(?:neq|ne)(?![A-Za-z])"), "!="),
    (re.compile(r"\\lt(?![A-Za-z])"), "<"),
    (re.compile(r"\\gt(?![A-Za-z])"), ">"),
    (re.compile(r"\\colon(?![A-Za-z])"), ":"),
    (re.compile(r"\\lbrace(?![A-Za-z])"), r"\\{"),
    (re.compile(r"\\rbrace(?![A-Za-z])"), r"\\}"),
    (re.compile(r"\\(?:lbrack)(?![A-Za-z])"), "["),
    (re.compile(r"\\(?:rbrack)(?![A-Za-z])"), "]"),
    (re.compile(r"\\(?:lvert|rvert|vert)(?![A-Za-z])"), "|"),
    (re.compile(r"\\(?:varnothing|empty)(?![A-Za-z])"), r"\\emptyset"),
    (re.compile(r"\\(?:div)(?![A-Za-z])"), "/"),
    (re.compile(r"\\(?:ast)(?![A-Za-z])"), "*"),
    (re.compile(r"\\(?:wedge)(?![A-Za-z])"), r"\\land"),
    (re.compile(r"\\(?:vee)(?![A-Za-z])"), r"\\lor"),
    (re.compile(r"\\mathbb\s*R(?![A-Za-z])|\\(?:R|reals|Reals)(?![A-Za-z])"), r"\\mathbb{R}"),
    (re.compile(r"\\text\s*\{\s*(?:degrees?|deg)\s*\.?\s*\}"), "°"),
    (re.compile(r"\s*\^\s*(?:\{\s*\\circ\s*\}|\\circ(?![A-Za-z]))"), "°"),
    (re.compile(r"\s*\^\s*\{?°\}?"), "°"),
    (re.compile(r"\\(?:textdegree|degree)s?(?![A-Za-z])"), "°"),
    (re.compile(r"\s+degrees?\b\.?"), "°"),
    (re.compile(r"\\%"), "%"),
    (re.compile(r"\\textdollar(?![A-Za-z])|\\\$"), "$"),
    (re.compile(r"\\(?:euro|texteuro)(?![A-Za-z])"), "€"),
    (re.compile(r"\\pounds(?![A-Za-z])"), "£"),
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"\\&"), "&"),
    (re.compile(r"\\text\s*\{\s*(,?\s*(?:and|or)\s*,?)\s*\}"), r" \1 "),
]
_TAKES_ARGUMENTS = re.compile(r"\\(frac|binom|sqrt)(?![A-Za-z])")
_OPTION = re.compile(r"\s*(\[[^\[\]]*\])")
_ONE_TOKEN = re.compile(r"[0-9A-Za-z]|\\(?:pi|theta|alpha|beta|phi|lambda|omega)(?![A-Za-z])")
_PLAIN_ROOT = re.compile(r"√\s*(?:\(([^()]*)\)|(\d+(?:\.\d+)?|[A-Za-z]))")
_ENVIRONMENT = re.compile(r"\\(begin|end)\s*\{([a-zA-Z]+\*?)\}")


def clean(text: str) -> str:
    r"""The text in one surface form.

    Args:
        text: An expression without math delimiters.

    Raises:
        Malformed: It is too long, or its braces, brackets or environments do not match.
    """
    if len(text) > MAX_CHARS:
        raise Malformed(f"the expression has more than {MAX_CHARS} characters")
    if text.isascii() and not _NEEDS_CLEANING.search(text):
        return " ".join(text.split())
    text = text.translate(_UNICODE)
    for mark, plain in _FRACTIONS.items():
        if mark in text:
            text = re.sub(rf"(?<=\d)\s*{mark}", f" {plain}", text).replace(mark, plain)
    text = _raise_marks(text)
    text = _rows(text)
    if text.count(r"\left") - text.count(r"\leftarrow") != text.count(r"\right") - text.count(r"\rightarrow"):
        raise Malformed(r"\left and \right do not match")
    text = _NEGATIVE_SPACE.sub("", _DROP.sub("", text))
    text = _TEXT.sub(r"\\text{", _LETTER.sub(r" \1 ", _SPACE.sub(" ", _OLD_FONT.sub(r"\\text{\1}", text))))
    for pattern, replacement in _COMMANDS:
        text = pattern.sub(replacement, text)
    text = _PLAIN_ROOT.sub(lambda m: rf"\sqrt{{{m[1] or m[2]}}}", text)
    check_balance(text)
    return " ".join(_brace_arguments(text).split(" ")).strip()


_NEEDS_CLEANING = re.compile(r"[\\~{}()\[\]]|degree")


ROW = "\x1e"
"""Stands for the row separator of a matrix in cleaned text."""


def _rows(text: str) -> str:
    r"""Tells row separators from the doubled backslashes of text that was escaped once too often."""
    if "\\\\" not in text:
        return text
    if r"\begin" in text and r"\\begin" not in text:
        return re.sub(r"\\\\(?:\[[^\]]*\])?", ROW, text)
    return re.sub(r"\\\\(?=[A-Za-z{}$%,!; ])", lambda _: "\\", text)


def _raise_marks(text: str) -> str:
    for marks, sign, plain in (
        (_SUPERSCRIPTS, "^", "0123456789-+n"),
        (_SUBSCRIPTS, "_", "0123456789"),
    ):
        if any(mark in text for mark in marks):
            table = str.maketrans(marks, plain)
            text = re.sub(f"[{marks}]+", lambda m: f"{sign}{{{m[0].translate(table)}}}", text)  # noqa: B023
    return text


def _brace_arguments(text: str) -> str:
    r"""Gives every `\frac`, `\binom` and `\sqrt` braced arguments: `\frac12`, `\frac{270}7`, `\sqrt5`."""
    out, position = [], 0
    for found in _TAKES_ARGUMENTS.finditer(text):
        if found.start() < position:
            continue
        out.append(text[position : found.start()])
        out.append(found[0])
        position = found.end()
        if found[1] == "sqrt" and (option := _OPTION.match(text, position)):
            out.append(option[1])
            position = option.end()
        for _ in range(1 if found[1] == "sqrt" else 2):
            argument, position = _argument(text, position, found[1])
            out.append("{" + _brace_arguments(argument) + "}")
    return "".join(out) + text[position:]


def _argument(text: str, position: int, command: str) -> tuple[str, int]:
    while text[position : position + 1] == " ":
        position += 1
    if text[position : position + 1] == "{":
        end = closing(text, position)
        if not (inner := text[position + 1 : end].strip()):
            raise Malformed(rf"\{command} with an empty argument")
        return inner, end + 1
    if found := _ONE_TOKEN.match(text, position):
        return found[0], found.end()
    raise Malformed(rf"\{command} without its argument")


def closing(text: str, start: int) -> int:
    """Index of the brace that closes the one at `start`.

    Raises:
        Malformed: There is none.
    """
    depth = 0
    i = start
    while i < len(text):
        if text[i] == "\\":
            i += 2
            continue
        depth += (text[i] == "{") - (text[i] == "}")
        if depth == 0:
            return i
        i += 1
    raise Malformed("an opening brace is never closed")


def check_balance(text: str) -> None:
    """Checks braces, brackets and environments; `[1, 2)` is fine, `(1, 2` is not.

    Raises:
        Malformed: They do not match.
    """
    stack: list[str] = []
    i = 0
    while i < len(text):
        char = text[i]
        if char == "\\":
            nxt = text[i + 1 : i + 2]
            if nxt == "{":
                stack.append("s")
            elif nxt == "}" and (not stack or stack.pop() != "s"):
                raise Malformed(r"\} without \{")
            i += 2
            continue
        if char == "{":
            stack.append("b")
        elif char in "([":
            stack.append("p")
        elif char == "}" and (not stack or stack.pop() != "b"):
            raise Malformed("a closing brace without an opening one")
        elif char in ")]" and (not stack or stack.pop() != "p"):
            raise Malformed("a closing bracket without an opening one")
        i += 1
        if len(stack) > MAX_DEPTH:
            raise Malformed("brackets are nested too deeply")
    if stack:
        raise Malformed("a bracket or brace is never closed")
    names: list[str] = []
    for kind, name in _ENVIRONMENT.findall(text):
        if kind == "begin":
            names.append(name)
        elif not names or names.pop() != name:
            raise Malformed(rf"\end{{{name}}} without \begin{{{name}}}")
    if names:
        raise Malformed(rf"\begin{{{names[-1]}}} is never ended")


def split_top(text: str, separators: re.Pattern[str]) -> list[str]:
    r"""Splits where a separator matches outside all brackets, braces and `\text{…}`."""
    parts, start, depth, i = [], 0, 0, 0
    while i < len(text):
        if depth == 0 and (found := separators.match(text, i)) and found.end() > i:
            parts.append(text[start:i])
            start = i = found.end()
            continue
        char = text[i]
        if char == "\\":
            command = re.compile(r"\\([A-Za-z]+|.)", re.DOTALL).match(text, i)
            assert command is not None or i == len(text) - 1
            name = command[1] if command else ""
            depth += (name in ("{", "langle", "begin", "lfloor", "lceil")) - (
                name in ("}", "rangle", "end", "rfloor", "rceil")
            )
            i += len(command[0]) if command else 1
            continue
        depth += (char in "([{") - (char in ")]}")
        i += 1
    parts.append(text[start:])
    return parts
