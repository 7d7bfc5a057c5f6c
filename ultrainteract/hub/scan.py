"""What is about to be published, searched for keys and personal data, every text once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ultrainteract.dataset.sensitive import Kind, find_sensitive
from ultrainteract.errors import HubError

EXAMPLES = 5
"""Places that are named for each kind."""


@dataclass
class Findings:
    """What was found."""

    counts: Counter[Kind] = field(default_factory=Counter)
    """Different findings by kind."""
    examples: dict[Kind, list[str]] = field(default_factory=dict)
    """The first places of each."""
    _known: set[str] = field(default_factory=set)

    def add(self, text: str, where: str) -> None:
        """Searches a text.

        Args:
            text: The text.
            where: The file and row it stands in.
        """
        for found in find_sensitive(text):
            if found.digest in self._known:
                continue
            self._known.add(found.digest)
            self.counts[found.kind] += 1
            places = self.examples.setdefault(found.kind, [])
            if len(places) < EXAMPLES:
                places.append(f"{where}: {found.format} {found.shown}")

    def refuse_secrets(self) -> None:
        """Refuses to publish keys and tokens.

        Raises:
            HubError: There are some; the first places are named.
        """
        if self.counts["secret"]:
            raise HubError(
                f"{self.counts['secret']} keys or tokens were found in what would be published, so nothing is sent:\n  "
                + "\n  ".join(self.examples["secret"])
                + "\nRevoke them where they are real; leave their trees out by exporting with "
                "--set 'filter.without=[secret]'."
            )

    def lines(self) -> list[str]:
        """What to say of personal data: a line for each kind that was found."""
        names: dict[Kind, str] = {"email": "mail addresses", "phone": "telephone numbers"}
        return [
            f"{self.counts[kind]:,} {name} were found, such as {self.examples[kind][0]}. Leave their trees out by "
            f"exporting with --set 'filter.without=[{kind}]'."
            for kind, name in names.items()
            if self.counts[kind]
        ]


def scan(files: Mapping[str, Path | bytes]) -> Findings:
    """Searches files, Parquet by its texts.

    Args:
        files: Contents by path in the repository.

    Raises:
        ConfigError: A library for it is missing (extra: hub).
    """
    found = Findings()
    seen: set[int] = set()
    for name, content in files.items():
        if name.endswith(".parquet") and isinstance(content, Path):
            for where, text in _texts(content):
                key = hash(text)
                if key not in seen:
                    seen.add(key)
                    found.add(text, f"{name} {where}")
        elif name.endswith((".json", ".md")):
            data = content if isinstance(content, bytes) else content.read_bytes()
            found.add(data.decode("utf-8", "replace"), name)
    return found


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    """(where, text) of every text in a Parquet file, at any depth."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        first = 1
        for batch in file.iter_batches(batch_size=256):
            for column, values in zip(batch.schema.names, batch.columns, strict=True):
                for number, value in enumerate(values.to_pylist()):
                    yield from ((f"row {first + number}, {column}", text) for text in _leaves(value))
            first += batch.num_rows


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
