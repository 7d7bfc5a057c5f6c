"""Strategies of texts that graders, parsers and readers stumble over: tokens that mean something, spliced and repeated."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

TOKENS = (
    *"0123456789+-*/=<>()[]{}|,.;:!?'\"`~@#$%^&_\\ \t\n\r\f\v\0xyzeiEjnabcfgABC",
    "\\frac", "\\sqrt", "\\boxed{", "\\text{", "\\pm", "\\cup", "\\infty", "\\begin{pmatrix}", "\\end{pmatrix}", "\\\\",
    "\\left(", "\\right)", "\\pi", "\\overline{", "^{", "_{", "}", "\\{", "\\}", "\\mathbb{R}", "\\times 10^", "10^",
    "Answer: ", "The answer is ", "#### ", "**", "```python\n", "```\n", "<execute>", "</execute>", "<solution>", "Out: ",
    "Question: ", "(A) ", "B. ", "Option 2", "yes", "no", "None", "True", "nan", "inf", "1e999", "-1e-999", "1e400",
    "9" * 400, "1_000", "1,000", "1.000,5", "0,5", "twenty-one", "two and a half", "a million", "and", "or", "12/25/2020",
    "December 25, 2020", "C++", "AB-", "np.float64(", "array([", "dtype: object", "Fraction(", "Timestamp('", "lambda: ",
    "f(", "from=", "**{", "'a': ", "set()", "{{5, 6}}", "[]: 1", "x == y", "not ", "0x1f", "1j", "\u2212", "\u00bd",
    "\u221a", "\u0661", "\u0f33", "\u200b", "\ufeff", "\ud7ff", "\U0001d7d9", "e\u0301", "\u4e2d\u6587", "Traceback\n", "ValueError: x",
)  # fmt: skip


def texts(corpus: Sequence[str] = (), longest: int = 40) -> st.SearchStrategy[str]:
    """Texts of tokens, plain Unicode, repeated pieces, and pieces of a corpus with tokens between them.

    Args:
        corpus: Texts that mean something to the target.
        longest: Most tokens of a text.
    """
    token = st.sampled_from(TOKENS)
    joined = st.lists(token, max_size=longest).map("".join)
    repeated = st.builds(
        lambda piece, n: piece * n,
        st.lists(token, min_size=1, max_size=3).map("".join),
        st.integers(2, 3_000),
    )
    plain = st.text(max_size=60)
    if not corpus:
        return st.one_of(joined, plain, repeated.map(lambda text: text[:30_000]))
    known = st.sampled_from(list(corpus))
    spliced = st.builds(
        lambda one, at, middle, other, to: one[: at % (len(one) + 1)] + middle + other[to % (len(other) + 1) :],
        known, st.integers(0, 400), joined, known, st.integers(0, 400),
    )  # fmt: skip
    return st.one_of(joined, known, spliced, spliced, plain, repeated.map(lambda text: text[:30_000]))
