"""What became of a run's samples: shares, reasons, an example, and what to change."""

from __future__ import annotations

from ultrainteract.running.samples import SampleReport


def tallies(judged: int, **reasons: int) -> dict[str, float]:
    found = {f"undetermined.{name.replace('_', ' ')}": float(count) for name, count in reasons.items()}
    return {"drawn": float(judged + sum(reasons.values())), "with_verdict": float(judged), **found}


def test_a_run_that_judges_its_samples_is_told_nothing_to_change() -> None:
    report = SampleReport.of(tallies(97, the_answer_was_cut_off_at_the_token_cap=3))
    assert report is not None
    assert report.lines() == [
        "Samples: 100 drawn, 97% judged",
        "   3.0% (3) undetermined: the answer was cut off at the token cap",
    ]
    assert report.brief() == "97% of 100 samples judged"


def test_the_commonest_reason_comes_first_and_each_has_its_remedy() -> None:
    report = SampleReport.of(
        tallies(10, no_final_answer_was_found=30, the_answer_was_cut_off_at_the_token_cap=60)
    )
    assert report is not None
    assert report.brief() == "10% of 100 samples judged, 60% without: the answer was cut off at the token cap"
    text = "\n".join(report.lines())
    assert text.index("cut off") < text.index("no final answer")
    assert "max_tokens" in text
    assert "growth.prompts: compact" in text
    assert "temperature" in text


def test_nothing_drawn_is_no_report() -> None:
    assert SampleReport.of({}) is None
