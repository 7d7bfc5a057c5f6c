"""Judgments of people: ratings of models from crowd votes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ultrainteract.errors import ConfigError, DataError

if TYPE_CHECKING:
    from ultrainteract.judgments.votes.report import VoteReport


def rate_votes(
    *files: str | Path,
    columns: Mapping[str, str] | None = None,
    method: Literal["bradley-terry", "newman"] = "bradley-terry",
    style: bool = False,
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
    cleaning: bool = True,
) -> VoteReport:
    """Rates models from votes on their answers, with intervals (see docs/votes.md).

    Args:
        files: Files of votes: an Arena release (55k, 100k, 140k), MT-Bench judgments, or a layout of your own.
        columns: For a layout of your own: columns by field of `judgments.votes.Mapping`.
        method: Ties as half a win and half a loss, or with a parameter of their own.
        style: Rate at equal style as well.
        confidence: Level of the intervals.
        resamples: Bootstrap samples; 0 for none.
        seed: Seed of every random choice.
        cleaning: Drop votes that do not count.

    Raises:
        ConfigError: `columns` names an unknown field.
        DataError: A file cannot be read, or no two models can be compared.
    """
    from pydantic import ValidationError

    from ultrainteract.errors import SeedError
    from ultrainteract.judgments.votes import Mapping as Columns
    from ultrainteract.judgments.votes import read_battles
    from ultrainteract.judgments.votes.report import rate_votes as rate
    from ultrainteract.readers.files import read_file

    try:
        mapping = Columns(**columns) if columns is not None else None
    except ValidationError as error:
        known = ", ".join(Columns.model_fields)
        raise ConfigError(
            f"A mapping of votes has the fields {known}: {error.errors()[0]['msg']}."
        ) from error
    try:
        records = [
            record for file in files for record in read_battles(read_file(Path(file).expanduser()), mapping)
        ]
    except SeedError as error:
        raise DataError(str(error)) from error
    return rate(
        records, method=method, style=style, confidence=confidence, resamples=resamples, seed=seed, cleaning=cleaning
    )  # fmt: skip
