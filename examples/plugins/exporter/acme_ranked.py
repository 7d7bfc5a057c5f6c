"""An export format: a prompt as text with the two responses of a pair, the better one first.

ultrainteract export runs/mine --format acme-ranked
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ultrainteract.dataset.samples import Preference
from ultrainteract.exporting import exporter


@exporter(
    "acme-ranked", kind="preference", columns={"prompt": "string", "better": "string", "worse": "string"}
)
def ranked(sample: Preference) -> Iterator[dict[str, Any]]:
    """Acme's ranker: a prompt and two responses, the better one first."""
    yield {
        "prompt": "\n\n".join(f"{role}: {text}" for role, text in sample.prompt),
        "better": sample.chosen[-1][1],
        "worse": sample.rejected[-1][1],
    }
