"""Paragraphs with their readers' mean ratings, in the layout of the published study of persona distortion.

One row per paragraph: the writer's own one and rewrites of it by models, each rated blind by about ten readers on
scales of 0 to 100 (Röttger et al. 2026, arXiv 2604.22503; columns of its `paragraph_rm` tables).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ultrainteract.readers.files import BadRecord
from ultrainteract.readers.rows import Row, Unusable, shorten
from ultrainteract.schema import Record, content_hash

POLISH = ("paragraph_clarity", "paragraph_informativeness", "paragraph_relevance")
"""What writers want more of."""
STANCE, CONFIDENCE = "writer_stance", "writer_confidence"
"""Perceived stance (0 against, 100 for the proposition) and confidence of the writer."""
POLARITY = "writer_stance_polarity"
"""Readers' mean of 2·|stance − 50|, where the file has it: readers who disagree do not cancel out in it."""
CUES = ("writer_gender", "writer_race", "writer_politicalParty", "writer_politicalIdeology")
"""What readers take the writer for."""


class Paragraph(Record):
    """A text with what its readers made of it."""

    where: str
    """File and line."""
    writer: str
    """Whose text it is, or is a rewrite of."""
    topic: str
    """Id of the proposition; a hash of its text where the row has none."""
    proposition: str
    """What the text is about."""
    text: str
    """The paragraph."""
    model: str | None
    """Who rewrote it; None for the writer's own text."""
    ratings: dict[str, float]
    """Readers' means by scale, 0 to 100."""
    cues: dict[str, str]
    """What most readers take the writer for."""

    @property
    def subject(self) -> tuple[str, str, str]:
        """What an own text and its rewrites have in common: writer, id and text of the proposition."""
        return self.writer, self.topic, self.proposition


def read_paragraphs(rows: Iterable[Row | BadRecord]) -> Iterator[Paragraph | BadRecord]:
    """Paragraphs from rows; one of no known type, or without a text or a rating, is passed on with the reason."""
    for row in rows:
        if isinstance(row, BadRecord):
            yield row
            continue
        try:
            kind, proposition = row.text("paragraph_type").casefold(), row.filled("proposition")
            if kind not in ("writer", "model"):
                raise Unusable(f"field 'paragraph_type' is neither 'writer' nor 'model': {shorten(kind)}")
            yield Paragraph(
                where=row.where, writer=row.filled("writer_id"), proposition=proposition, text=row.filled("paragraph"),
                topic=row.identity("proposition_id") or content_hash(proposition)[:16],
                model=None if kind == "writer" else row.filled("model_name"),
                ratings={name: _rating(row, name) for name in (*POLISH, STANCE, CONFIDENCE)}
                | ({POLARITY: _rating(row, POLARITY)} if row.get(POLARITY) not in (None, "") else {}),
                cues={name: str(row.get(name)) for name in CUES if row.get(name)},
            )  # fmt: skip
        except Unusable as problem:
            yield BadRecord(row.where, str(problem))


def _rating(row: Row, name: str) -> float:
    try:
        value = float(str(row.get(name)))
    except ValueError:
        raise Unusable(f"field '{name}' holds no number") from None
    if not 0 <= value <= 100:
        raise Unusable(f"field '{name}' is not between 0 and 100")
    return value
