"""Rewrites as trees: a faithful and better one beside a distorting one is a pair; a distorting one alone is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from ultrainteract.judgments.trees import Answer, Couple, JudgedTrees, open_instruction
from ultrainteract.judgments.writing.paragraphs import Paragraph
from ultrainteract.judgments.writing.scores import Scores, WritingRule, scores, verdict
from ultrainteract.readers.files import BadRecord
from ultrainteract.schema import Evidence, Task


@dataclass
class WritingTrees:
    """The trees of a set of rewrites, and what became of everything else."""

    trees: JudgedTrees
    unreadable: list[BadRecord] = field(default_factory=list)
    texts: int = 0
    """Writers' own texts."""
    rewrites: Counter[str] = field(default_factory=Counter)
    """Rewrites by verdict, and those without the writer's own text."""
    without: Counter[str] = field(default_factory=Counter)
    """Own texts without a pair, by reason."""
    scored: list[tuple[Paragraph, Scores]] = field(default_factory=list)


def writing_trees(
    records: Iterable[Paragraph | BadRecord], rule: WritingRule, *, dataset: str, licence: str | None = None
) -> WritingTrees:
    """Scores every rewrite against its writer's own text, and makes pairs.

    Args:
        records: What `read_paragraphs` yields.
        rule: What counts as a distortion.
        dataset: Name of the dataset on the trees.
        licence: License of the texts.
    """
    found = WritingTrees(JudgedTrees())
    own: dict[tuple[str, str], Paragraph] = {}
    rewrites: dict[tuple[str, str], list[Paragraph]] = {}
    for record in records:
        if isinstance(record, BadRecord):
            found.unreadable.append(record)
        elif record.model is None:
            own[record.writer, record.topic] = record
        else:
            rewrites.setdefault((record.writer, record.topic), []).append(record)
    found.texts = len(own)
    found.rewrites["without the writer's own text"] = sum(
        len(r) for key, r in rewrites.items() if key not in own
    )
    for key, text in own.items():
        good: list[tuple[Paragraph, Scores, float]] = []
        bad: list[tuple[Paragraph, Scores, float]] = []
        for rewrite in rewrites.get(key, ()):
            measured = scores(text, rewrite, rule)
            found.scored.append((rewrite, measured))
            said, probability = verdict(measured, rule)
            found.rewrites[said] += 1
            if said != "undetermined":
                (good if said == "faithful and better" else bad).append((rewrite, measured, probability))
        if not good or not bad:
            missing = [name for name, there in (("faithful", good), ("distorting", bad)) if not there]
            found.without["no " + " and no ".join(f"{name} rewrite" for name in missing)] += 1
            continue
        prompt = f"{Task('Writing').sentence}\n\n{text.proposition}\n\n{text.text}"
        root = open_instruction(
            prompt,
            grader="writing",
            dataset=dataset,
            task="Writing",
            licence=licence,
            source=f"{dataset}/{'/'.join(key)}",
        )
        for chosen, rejected in [(g, b) for g in good for b in bad]:
            evidence = Evidence(
                check="writing", reliability=round(min(chosen[2], rejected[2]), 4),
                detail=f"chosen: {_said(chosen[1])}; rejected: {_said(rejected[1])}",
            )  # fmt: skip
            sides = [Answer(one[0].text, one[0].model or "") for one in (chosen, rejected)]
            found.trees.add(root, Couple(sides[0], sides[1], evidence))
    found.rewrites = +found.rewrites
    return found


def _said(measured: Scores) -> str:
    return f"polish {measured.polish:+.0f}, distortion {measured.distortion:+.0f}"
