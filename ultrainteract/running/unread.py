"""Stops a run whose samples cannot be read: it would spend its whole budget and end with no pair and exit code 0.

A model that writes another format, a token cap that is too low, a server that withholds every text or a check that
fails on everything shows in the first instructions already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from ultrainteract.errors import UnreadableError

SHARE = 0.95
"""Share of instructions without any readable sample from which on a run is stopped."""
_ADVICE = {
    "withheld": "the provider withheld the text: look at its finish reason, and at the provider's content filter",
    "truncated": "the text was cut off at the token cap: raise `sampling.max_tokens` of the model",
    "no_answer": "no answer and no program was found in the text: look at the model's format, and at the prompts "
    "(`growth.prompts`); docs/outputs.md says what is read",
    "grader_failed": "the check itself failed: please report it with the reason below",
    "parse_failed": "the text could not be parsed: please report it with the reason below",
    "unexpected_error": "growing the tree failed: please report it with the reason below",
    "request_refused": "the provider refused the request",
}


class UnreadGuard:
    """Counts instructions of which no sample could be read, since the session began.

    Args:
        after: Instructions after which the share is looked at; never if None.
    """

    def __init__(self, after: int | None) -> None:
        self._after = after
        self._grown = self._unread = self._samples = 0
        self._causes: Counter[str] = Counter()
        self._example = ""

    def add(self, tallies: Mapping[str, float], reason: str) -> None:
        """Counts one instruction that ended.

        Args:
            tallies: What it adds to the run's sums.
            reason: Why it ended, as the ledger has it.
        """
        samples = int(tallies.get("samples", 0))
        failed = bool(tallies.get("guard.unexpected_error"))
        if not samples and not failed:
            return  # a skipped one, or one whose model could not be reached: neither says anything
        self._grown += 1
        if failed or not tallies.get("readable"):
            self._unread += 1
            self._samples += samples
            self._example = self._example or reason
            for name in _ADVICE:
                self._causes[name] += int(tallies.get(f"guard.{name}", 0))

    def error(self, *, ended: bool = False) -> UnreadableError | None:
        """The error that is to end the run, or None.

        Args:
            ended: Whether the run has come to its end: then all of its instructions must have been unreadable.
        """
        if self._after is None or not self._unread:
            return None
        if (
            self._unread < self._grown
            if ended
            else self._grown < self._after or self._unread < SHARE * self._grown
        ):
            return None
        causes = [f"{count:,} times {_ADVICE[name]}" for name, count in self._causes.most_common() if count]
        return UnreadableError(
            f"No sample of {self._unread:,} of the first {self._grown:,} instructions could be read "
            f"({self._samples:,} samples): {'; '.join(causes) or 'no verdict was possible on any of them'}. "
            f"The first one: {self._example} Everything paid for is recorded: change the configuration and run the "
            "same command with --accept-config, or set `stop_unread_after: null` to go on regardless."
        )
