"""The figures of a set of trees as terminal tables, with the paper's beside them where they are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ultrainteract.statistics.figures import Figures, FirstSample
from ultrainteract.statistics.lengths import LIMITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table

PAPER_ROWS: dict[tuple[str, bool, bool], tuple[int, tuple[int, ...], int, int]] = {
    ("Math_PoT", True, True): (22_928, (10_440, 4_122, 1_898, 904, 5_564), 42_780, 68_033),
    ("Math_PoT", False, True): (2_757, (16_154, 0, 0, 0, 0), 13_217, 16_154),
    ("Math_CoT", True, False): (22_639, (10_708, 3_521, 1_459, 723, 6_228), 44_750, 62_182),
    ("Math_CoT", False, False): (2_083, (16_348, 0, 0, 0, 0), 12_624, 16_348),
    ("Coding", True, False): (20_463, (13_265, 2_584, 987, 379, 3_248), 18_106, 22_215),
    ("Coding", False, False): (8_495, (92_618, 0, 0, 0, 0), 78_634, 92_618),
    ("Logic", True, True): (2_086, (1_685, 298, 72, 8, 23), 1_750, 2_198),
    ("Logic", True, False): (4_467, (2_453, 1_674, 340, 0, 0), 7_958, 7_231),
}
"""Table 1 (arXiv 2404.02078) by (task, interaction, tool): instructions, trajectories that end at turn 1 to 5, pairs,
correct actions. Coding is not split by tool there, but holds WikiTableQuestions."""
PAPER_PAIRS = {
    ("Math_CoT", "MATH"): 25_765, ("Math_CoT", "mathqa"): 17_743, ("Math_CoT", "gsm8k"): 10_862,
    ("Math_CoT", "numglue"): 2_861, ("Math_PoT", "MATH"): 22_905, ("Math_PoT", "mathqa"): 15_079,
    ("Math_PoT", "gsm8k"): 10_257, ("Math_PoT", "tabmwp"): 4_135, ("Math_PoT", "numglue"): 3_467,
    ("Coding", "TACO"): 50_877, ("Coding", "codecontest"): 44_319, ("Coding", "wiki_table_questions"): 1_544,
    ("Logic", "reclor"): 7_958, ("Logic", "hotpotqa"): 1_009, ("Logic", "strategyqa"): 741,
}  # fmt: skip
"""Rows of the published pair split by (task, dataset)."""


def show(figures: Figures, console: Console, *, paper: bool = True) -> None:
    """Prints every table.

    Args:
        figures: `Statistics.figures()`.
        console: Where to print.
        paper: Print the paper's figures, too.
    """
    papers = [table1_of_the_paper()] if paper else []
    for table in (
        table1(figures), *papers, table7(figures, paper=paper), turns(figures), pass_rates(figures), lengths(figures),
        tokens(figures), quality(figures),
    ):  # fmt: skip
        if table.row_count:
            console.print(table)
            console.print()


def table1(figures: Figures) -> Table:
    """Table 1: kinds of trees, the turns their trajectories end at, pairs and correct actions."""
    rows = figures.table1
    cap = max([5, *(turn for row in rows for turn in row.trajectories)])
    turns = range(1, cap + 1)
    table = _table(
        "Table 1: instructions, trajectories by the turn they end at (T1 …), pairs",
        ["task", "inter.", "tool"],
        ["instr.", *(f"T{turn}" for turn in turns), "tokens", "traj.", "pairs", "correct"],
    )
    for row in rows:
        ends = [row.trajectories.get(turn, 0) for turn in turns]
        table.add_row(
            row.task, _mark(row.interaction), _mark(row.tool), f"{row.instructions:,}", *_counts(ends),
            _figure(row.tokens_per_trajectory, 0), _figure(row.trajectories_per_instruction),
            f"{row.pairs:,}", f"{row.correct:,}",
        )  # fmt: skip
    ends = [sum(row.trajectories.get(turn, 0) for row in rows) for turn in turns]
    table.add_section()
    table.add_row(
        "total", "", "", f"{figures.trees:,}", *(f"{count:,}" for count in ends), "",
        _figure(sum(ends) / figures.trees if figures.trees else None), f"{figures.pairs:,}",
        f"{figures.correct:,}",
    )  # fmt: skip
    notes = [f"tokens: per trajectory ({figures.tokenizer}); traj.: trajectories per instruction"]
    if figures.simulated_trees:
        notes.append(f"{figures.simulated_trees:,} of {figures.trees:,} trees are simulated")
    table.caption = "\n".join(notes)
    return table


def table1_of_the_paper() -> Table:
    """Table 1 as the paper has it."""
    table = _table(
        "Table 1 of the paper",
        ["task", "inter.", "tool"],
        ["instr.", *(f"T{turn}" for turn in range(1, 6)), "pairs", "correct"],
    )
    for (task, interaction, tool), (instructions, ends, pairs, correct) in PAPER_ROWS.items():
        table.add_row(
            task,
            _mark(interaction),
            _mark(tool),
            f"{instructions:,}",
            *_counts(ends),
            f"{pairs:,}",
            f"{correct:,}",
        )
    table.add_section()
    rows = PAPER_ROWS.values()
    table.add_row(
        "total", "", "", f"{sum(row[0] for row in rows):,}",
        *_counts([sum(row[1][turn] for row in rows) for turn in range(5)]), f"{sum(row[2] for row in rows):,}",
        f"{sum(row[3] for row in rows):,}",
    )  # fmt: skip
    table.caption = "Coding is not split by tool"
    return table


def _counts(ends: Sequence[int]) -> list[str]:
    return [f"{count:,}" if count else "-" for count in ends]


def table7(figures: Figures, *, paper: bool = True) -> Table:
    """Table 7: the same by dataset; with the paper's pairs beside them where asked for."""
    papers = ["paper's pairs"] if paper else []
    table = _table("Table 7: by dataset", ["task", "dataset"],
                   ["prompts", "pairs", *papers, "correct", "tokens/traj"])  # fmt: skip
    for row in figures.table7:
        theirs = PAPER_PAIRS.get((row.task, row.dataset))
        table.add_row(row.task, row.dataset, f"{row.prompts:,}", f"{row.pairs:,}",
                      *([f"{theirs:,}" if theirs else ""] if paper else []), f"{row.correct:,}",
                      _figure(row.tokens_per_trajectory))  # fmt: skip
    return table


def turns(figures: Figures) -> Table:
    """Trees, pairs and the actor's own success by turn."""
    table = _table(
        "Turns", ["turn"], ["trees that end here", "pairs", "actor's first sample right", "pass rate"]
    )
    none = FirstSample(turn=0, trees=0, judged=0, correct=0, pass_rate=None)
    first = {row.turn: row for row in figures.actor_first_sample}
    for turn in sorted(first.keys() | figures.turns.keys()):
        row = first.get(turn, none)
        table.add_row(str(turn), f"{figures.turns.get(turn, 0):,}", f"{figures.pairs_by_turn.get(turn, 0):,}",
                      f"{row.correct:,} of {row.judged:,}", _percent(row.pass_rate))  # fmt: skip
    return table


def pass_rates(figures: Figures) -> Table:
    """What every step drew with every model, and how much of it was right."""
    table = _table("Pass rates", ["step", "model"], ["drawn", "judged", "correct", "pass rate"])
    for row in figures.steps:
        table.add_row(row.step, row.model, *(f"{count:,}" for count in (row.drawn, row.judged, row.correct)),
                      _percent(row.pass_rate))  # fmt: skip
    return table


def lengths(figures: Figures) -> Table:
    """Length distribution of instructions and of both sides of the pairs."""
    table = _table("Lengths, characters", ["up to"], ["instructions", "chosen", "rejected"])
    counts = figures.length_chars
    for bound in sorted({bound for column in counts.values() for bound in column}):
        columns = (counts.get(name, {}).get(bound, 0) for name in ("instruction", "chosen", "rejected"))
        table.add_row(f"{bound:,}", *(f"{count:,}" for count in columns))
    table.caption = f"chosen is the longer text in {_percent(figures.chosen_longer_share)} of the pairs"
    return table


def tokens(figures: Figures) -> Table:
    """Lengths of the pairs in tokens, and what usual maximum lengths would cut off, by turn."""
    table = _table(
        "Lengths of pairs, tokens", ["turn"], ["pairs", "longest", *(f"over {limit:,}" for limit in LIMITS)]
    )
    for row in figures.pair_tokens:
        table.add_row(
            str(row.turn), f"{row.pairs:,}", f"{row.longest:,}",
            *(f"{row.over[limit]:,} ({row.prompt_over[limit]:,})" for limit in LIMITS),
        )  # fmt: skip
    table.caption = (
        f"prompt with history and the longer side ({figures.tokenizer}), without the chat template's own tokens;\n"
        "in brackets: the prompt alone is that long, and nothing is left to learn (TRL's default limit is 1,024)"
    )
    return table


def quality(figures: Figures) -> Table:
    """Leaks, duplicates, evidence and cost."""
    table = _table("Quality", ["measure"], ["value"])
    critiques, kept = figures.critiques, figures.kept
    agreement, copies = figures.same_answer_agreement, figures.duplicates
    rows = [
        ("critiques that gave the answer away", f"{critiques.leaked:,} of {critiques.total:,} ({_percent(critiques.leak_rate)})"),
        ("… asked for again / redacted", f"{critiques.asked_again:,} / {critiques.redacted:,}"),
        ("duplicate prompts / pairs / responses", f"{copies.prompts:,} / {copies.pairs:,} / {copies.responses:,}"),
        ("pairs whose two sides share a model", _percent(figures.same_model_share)),
        ("equal answers that got equal verdicts", f"{agreement.agree:,} of {agreement.couples:,} ({_percent(agreement.share)})"),
        ("mean reliability of the evidence", _figure(figures.mean_reliability, 3)),
        *_audited(figures),
        ("cost of what was kept, per pair", _dollars(kept.cost_per_pair)),
        ("completion tokens kept, per pair", _figure(kept.tokens_per_pair)),
    ]  # fmt: skip
    if spent := figures.spent:
        rows += [
            ("cost of all that the run drew, per pair", _dollars(spent.cost_per_pair)),
            ("completion tokens drawn, per pair", _figure(spent.tokens_per_pair)),
        ]
    rows += [(f"verdicts by {row.check}: {row.label}", f"{row.actions:,}") for row in figures.evidence]
    rows += [(f"wrong calls, {row.origin}: {row.error}", f"{row.actions:,}") for row in figures.call_errors]
    for name, value in rows:
        table.add_row(name, value)
    return table


def _table(title: str, names: list[str], numbers: list[str]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(
        title=title,
        title_justify="left",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        padding=0,
        show_edge=False,
    )
    for name in names:
        table.add_column(name, min_width=4)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _mark(flag: bool) -> str:
    return "yes" if flag else "no"


def _figure(value: float | None, digits: int = 1) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def _dollars(value: float | None) -> str:
    return "unknown" if value is None else f"${value:.6f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _audited(figures: Figures) -> list[tuple[str, str]]:
    found = figures.label_error
    if found is None or found.error is None or found.low is None or found.high is None:
        return []
    said = f"{found.error:.1%} ({found.low:.1%} to {found.high:.1%}; {found.judged:,} judged)"
    return [("labels that a person judged otherwise, estimated", said)]
