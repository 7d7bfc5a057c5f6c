"""Types that several parts of the configuration share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
"""A finite number above zero."""
NonNegativeFloat = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""A finite number, zero or more."""
Fraction = Annotated[float, Field(ge=0, le=1)]

UserPath = Annotated[Path, AfterValidator(lambda path: path.expanduser())]
"""A path in which a leading `~` stands for the home folder."""
