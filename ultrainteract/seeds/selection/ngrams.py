"""Exact matching of word n-grams between many texts and a fixed set of test items, at memory speed.

Normalisation: NFKC, lower case; every run of characters that are no letters or digits becomes one space, and a
character of a script without spaces is a word. An n-gram is n consecutive words of that text, where such characters
may count for less than a word: two Kana or three letters of Thai say what a word does.

Texts are hashed in batches. One polynomial prefix hash over the joined bytes gives the hash of every n-gram
from two look-ups, without cutting the text into words. A bit table rules out nearly all of them, a binary
search over the items' sorted hashes rules out the rest, and what is left is compared as text, so that a
report never rests on a hash.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_U64 = NDArray[np.uint64]

_ASCII = bytes(
    code if chr(code).isdigit() or (chr(code).isalpha() and chr(code).islower()) else
    code + 32 if chr(code).isalpha() else 32
    for code in range(128)
) + bytes(range(128, 256))  # fmt: skip
_SPACELESS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U000323af]"
)
"""Thai, Lao, Burmese, Khmer, Kana and Han: scripts that put no spaces between words."""
_WORD, _KANA, _ALPHABETIC = 6, 3, 2
"""What words count: of letters, and Han characters, fully; Kana half; letters of Thai, Lao, Burmese and Khmer a third.

Measured on the 250 problems of MGSM in four languages, no two of which are the same: at n = 8, 6 of them in English, 4
in Chinese, 2 in Japanese and 2 in Thai share an n-gram with another one; were every character a word, 4, 122 and 250 in
the last three. A copy in which three characters in the middle are changed is found in all 1,000 cases.
"""
_BASE = 0x9E3779B97F4A7C15 | 1
"""Odd, so that it has an inverse modulo 2^64."""
_INVERSE = pow(_BASE, -1, 1 << 64)
_TABLE_BITS = 24
_ROOM = 1 << 18
"""Bytes of normalised text hashed at once."""


class _Words(dict[int, str]):
    """What becomes of a character, by its code point: letters, digits and the marks on them stay, others part words."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kind = unicodedata.category(character)
        kept = f" {character} " if _SPACELESS.match(character) else character
        found = self[code] = " " if kind[0] not in "LNM" else character if kind[0] == "M" else kept
        return found


_words = _Words()


def normalise(text: str) -> bytes:
    """The text's words in lower case, separated by single spaces, as UTF-8.

    Characters that look or mean the same are one (NFKC: full-width digits, ligatures, composed accents). In scripts
    that are written without spaces, every character is a word.
    """
    if text.isascii():
        return b" ".join(text.encode().translate(_ASCII).split())
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).lower())
    return " ".join(plain.translate(_words).split()).encode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Shared:
    """An n-gram that a text shares with a test item."""

    text: int
    """Position of the text in the batch."""
    item: int
    """Position of the test item in the index."""
    gram: str
    """The shared words."""
    whole: bool = False
    """The item has no n-gram, and is the whole text."""


class NGramIndex:
    """The n-grams of a set of test items.

    An item of fewer than n words has no n-gram; it is matched by a text that equals it as a whole.

    Args:
        items: Problems of the test items.
        n: Words of an n-gram.
        contained: For each item, whether it is shared only where the text contains all of it (exact
            substring);
            its first n-gram is then looked for, and the rest compared.
    """

    def __init__(self, items: Sequence[str], n: int, contained: Sequence[bool] | None = None) -> None:
        self.n = n
        self._items = [normalise(item) for item in items]
        self._contained = np.array(
            contained if contained is not None else [False] * len(items), dtype=np.bool_
        )
        self._powers, self._inverses = _powers(_ROOM)
        self._whole: dict[bytes, list[int]] = {}
        for number, item in enumerate(self._items):
            if item and _counts(item.split()) < n * _WORD:
                self._whole.setdefault(item, []).append(number)
        hashes: list[_U64] = [np.empty(0, np.uint64)]
        owners: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
        for first, texts in _pieces(self._items):
            grams = self._hash(texts)
            owner = grams.text + first
            leads = np.ones(len(owner), np.bool_)
            leads[1:] = owner[1:] != owner[:-1]
            kept = leads | ~self._contained[owner]
            hashes.append(grams.hash[kept])
            owners.append(owner[kept])
        every = np.concatenate(hashes)
        # Stable, so that the first item that holds an n-gram is the one reported.
        order = np.argsort(every, kind="stable")
        self._sorted, self._owners = every[order], np.concatenate(owners)[order]
        self._table = np.zeros(1 << _TABLE_BITS, dtype=np.bool_)
        self._table[self._slots(self._sorted)] = True

    def shared(
        self, texts: Sequence[str], admits: Callable[[int, int], bool] = lambda text, item: True
    ) -> list[Shared]:
        """The first n-gram of each text that it shares with an item, in the order of the texts.

        Args:
            texts: The texts; some hundreds at once are fastest.
            admits: Whether text and item, by position, are to be compared at all.
        """
        normalised = [normalise(text) for text in texts]
        found: dict[int, Shared] = {}
        for number, text in enumerate(normalised):
            for item in self._whole.get(text, ()):
                if admits(number, item):
                    found[number] = Shared(number, item, text.decode(), whole=True)
                    break
        for first, piece in _pieces(normalised):
            grams = self._hash(piece)
            candidates = np.flatnonzero(self._table[self._slots(grams.hash)])
            for position in candidates[self._known(grams.hash[candidates])].tolist():
                number = first + int(grams.text[position])
                if number in found:
                    continue
                gram = grams.joined[grams.start[position] : grams.end[position]]
                for item in self._holders(grams.hash[position], gram, normalised[number]):
                    if admits(number, item):
                        found[number] = Shared(number, item, gram.decode())
                        break
        return [found[number] for number in sorted(found)]

    def _known(self, hashes: _U64) -> NDArray[np.bool_]:
        if not len(self._sorted):
            return np.zeros(len(hashes), np.bool_)
        places = np.minimum(np.searchsorted(self._sorted, hashes), len(self._sorted) - 1)
        return np.equal(self._sorted[places], hashes)

    def _holders(self, hashed: np.uint64, gram: bytes, text: bytes) -> Iterator[int]:
        """The items that really share `gram` with `text`, first to last."""
        place = int(np.searchsorted(self._sorted, hashed, "left"))
        while place < len(self._sorted) and self._sorted[place] == hashed:
            item = int(self._owners[place])
            needle, hay = (self._items[item], text) if self._contained[item] else (gram, self._items[item])
            if b" " + needle + b" " in b" " + hay + b" ":
                yield item
            place += 1

    def _slots(self, hashes: _U64) -> _U64:
        return hashes >> np.uint64(64 - _TABLE_BITS)

    def _hash(self, texts: Sequence[bytes]) -> _Grams:
        data = b"\n".join(texts) + b"\n"
        joined = np.frombuffer(data, dtype=np.uint8)
        while len(joined) >= len(self._powers):  # one text longer than a piece
            self._powers, self._inverses = _powers(2 * len(self._powers))
        prefix = np.empty(len(joined) + 1, dtype=np.uint64)
        prefix[0] = 0
        np.multiply(joined, self._powers[: len(joined)], out=prefix[1:])
        np.cumsum(prefix[1:], out=prefix[1:])
        ends = np.flatnonzero(joined <= 32)  # a space after every word, a line feed after every text
        starts = np.empty_like(ends)
        starts[0], starts[1:] = 0, ends[:-1] + 1
        breaks = joined[ends] == 10
        text_of = np.cumsum(breaks) - breaks
        ahead = np.arange(self.n - 1, len(ends)) if data.isascii() else _ends_of_grams(joined, starts, self.n)
        first, last = starts[: len(ahead)], ends[ahead]
        inside = text_of[: len(ahead)] == text_of[ahead]
        inside &= last > first  # the one word of an empty text is none
        first, last = first[inside], last[inside]
        hashes = (prefix[last] - prefix[first]) * self._inverses[first]
        # The multiplier spreads the low bits of a polynomial hash to the top, where the table looks.
        hashes ^= hashes >> np.uint64(32)
        hashes *= np.uint64(0xD6E8FEB86659FD93)
        return _Grams(hashes, text_of[: len(inside)][inside], first, last, data)


@dataclass(frozen=True, slots=True)
class _Grams:
    hash: _U64
    text: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    joined: bytes


def _counts(words: Sequence[bytes]) -> int:
    """What words count together."""
    joined = np.frombuffer(b" ".join(words) + b"   ", dtype=np.uint8)
    starts = np.cumsum([0, *(len(word) + 1 for word in words[:-1])])
    return int(_weights(joined, starts).sum())


def _weights(joined: NDArray[np.uint8], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """What the words that start at these places count."""
    padded = np.append(joined, np.zeros(2, np.uint8)).astype(np.int64)
    lead = padded[starts]
    code = ((lead & 15) << 12) | ((padded[starts + 1] & 63) << 6) | (padded[starts + 2] & 63)
    code[lead >> 4 != 14] = 0  # not of three bytes
    found = np.full(len(starts), _WORD, np.int64)
    found[((code >= 0x3040) & (code <= 0x30FF)) | ((code >= 0x31F0) & (code <= 0x31FF))] = _KANA
    for low, high in ((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF)):
        found[(code >= low) & (code <= high)] = _ALPHABETIC
    return found


def _ends_of_grams(joined: NDArray[np.uint8], starts: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Number of the last word of the n-gram that begins at each word, as far as there is one."""
    sums = np.concatenate(([0], np.cumsum(_weights(joined, starts))))
    behind = np.searchsorted(sums, sums[:-1] + n * _WORD, "left")
    return behind[behind <= len(starts)] - 1


def _powers(size: int) -> tuple[_U64, _U64]:
    bases = np.full(size, _BASE, dtype=np.uint64)
    inverses = np.full(size, _INVERSE, dtype=np.uint64)
    bases[0] = inverses[0] = 1
    return np.cumprod(bases, dtype=np.uint64), np.cumprod(inverses, dtype=np.uint64)


def _pieces(texts: Sequence[bytes]) -> list[tuple[int, Sequence[bytes]]]:
    """Cuts the texts into runs of at most `_ROOM` bytes: (position of the first, the run)."""
    pieces: list[tuple[int, Sequence[bytes]]] = []
    first = size = 0
    for number, text in enumerate(texts):
        if size and size + len(text) + 1 > _ROOM - 1:
            pieces.append((first, texts[first:number]))
            first, size = number, 0
        size += len(text) + 1
    if first < len(texts):
        pieces.append((first, texts[first:]))
    return pieces
