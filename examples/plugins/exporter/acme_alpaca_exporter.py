"""Two exports: correct actions in Alpaca's layout, and pairs as "better" and "worse" texts.

With this package installed, `ultrainteract export RUN --format acme-alpaca` writes them, and `push` publishes them.
"""

from collections.abc import Iterator
from typing import Any

from ultrainteract.dataset.samples import Demonstration, Preference
from ultrainteract.exporting import exporter


@exporter(
    "acme-alpaca",
    kind="demonstration",
    columns={"instruction": "string", "input": "string", "output": "string"},
    histories=("bare", "flat"),  # one text: the history cannot stand in turns of its own
)
def alpaca(sample: Demonstration) -> Iterator[dict[str, Any]]:
    """Alpaca: instruction, input, output."""
    yield {"instruction": sample.prompt[-1][1], "input": "", "output": sample.response}


@exporter(
    "acme-better", kind="preference", columns={"prompt": "messages", "better": "string", "worse": "string"}
)
def better(sample: Preference) -> Iterator[dict[str, Any]]:
    """A better and a worse answer."""
    prompt = [{"role": role, "content": text} for role, text in sample.prompt]
    yield {"prompt": prompt, "better": sample.chosen[-1][1], "worse": sample.rejected[-1][1]}
