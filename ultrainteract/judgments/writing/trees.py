"""Rewrites as trees: a faithful and better one beside a distorting one is a pair; a distorting one alone is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from ultrainteract.judgments.trees import EQUAL, Answer, Couple, JudgedTrees, open_instruction
from ultrainteract.judgments.writing.paragraphs import Paragraph
from ultrainteract.judgments.writing.scores import Scores, WritingRule, scores, verdict
from ultrainteract.readers.files import BadRecord
from ultrainteract.schema import Evidence, Task, content_hash

SEVERAL = "several own texts of this writer on this proposition"
"""Why a rewrite is not scored: it is not known of which of them it is one."""


@dataclass
class WritingTrees:
    """The trees of a set of rewrites, and what became of everything else."""

    trees: JudgedTrees
    unreadable: list[BadRecord] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    """Places of rows that say the same as an earlier one."""
    texts: int = 0
    """Writers' own texts."""
    rewrites: Counter[str] = field(default_factory=Counter)
    """Rewrites by verdict, and those of which the writer's own text is not known."""
    without: Counter[str] = field(default_factory=Counter)
    """Own texts without a pair, by reason."""
    scored: list[tuple[Paragraph, Scores]] = field(default_factory=list)


def writing_trees(
    records: Iterable[Paragraph | BadRecord], rule: WritingRule, *, dataset: str, licence: str | None = None
) -> WritingTrees:
    """Scores every rewrite against its writer's own text, and makes pairs.

    An own text and its rewrites share writer, proposition and its id; a writer with several own texts on one
    proposition makes no pair on it. Records = texts + rewrites + duplicates + unreadable ones.

    Args:
        records: What `read_paragraphs` yields.
        rule: What counts as a distortion.
        dataset: Name of the dataset on the trees.
        licence: License of the texts.
    """
    found = WritingTrees(JudgedTrees())
    own: dict[tuple[str, str, str], list[Paragraph]] = {}
    rewrites: dict[tuple[str, str, str], list[Paragraph]] = {}
    seen: set[str] = set()
    for record in records:
        if isinstance(record, BadRecord):
            found.unreadable.append(record)
            continue
        content = content_hash(record.model_dump(mode="json", exclude={"where"}))
        if content in seen:
            found.duplicates.append(record.where)
            continue
        seen.add(content)
        (own if record.model is None else rewrites).setdefault(record.subject, []).append(record)
    found.texts = sum(map(len, own.values()))
    for key, of_one in rewrites.items():
        if len(own.get(key, ())) != 1:
            found.rewrites[SEVERAL if key in own else "without the writer's own text"] += len(of_one)
    made: list[str] = []
    for key, texts in own.items():
        if len(texts) > 1:
            found.without[SEVERAL] += len(texts)
            continue
        (text,) = texts
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
            source=f"{dataset}/{text.writer}/{text.topic}",
        )
        made.append(root.id)
        for chosen, rejected in [(g, b) for g in good for b in bad]:
            evidence = Evidence(
                check="writing", reliability=round(min(chosen[2], rejected[2]), 4),
                detail=f"chosen: {_said(chosen[1])}; rejected: {_said(rejected[1])}",
            )  # fmt: skip
            sides = [Answer(one[0].text, one[0].model or "") for one in (chosen, rejected)]
            found.trees.add(root, Couple(sides[0], sides[1], evidence))
    trees = {tree.id for tree in found.trees}
    paired = sum(name in trees for name in made)
    found.without |= +Counter(
        {EQUAL: len(made) - paired, "same text as another writer's": paired - len(trees)}
    )
    return found


def _said(measured: Scores) -> str:
    return f"polish {measured.polish:+.0f}, distortion {measured.distortion:+.0f}"
