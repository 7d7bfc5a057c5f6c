"""Votes that do not count: repeated, unfinished or telling ones, anomalous voters, prompts that everybody sends.

Every rule names itself, so that a report adds up: votes read = votes kept + votes dropped by rule.
"""

from __future__ import annotations

import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ultrainteract.errors import DataError
from ultrainteract.judgments.reading import Reading
from ultrainteract.judgments.votes.battle import Battle
from ultrainteract.judgments.votes.ratings import rate
from ultrainteract.readers.files import BadRecord
from ultrainteract.schema import content_hash

MIN_VOTES = 5
"""Votes of a voter before a pattern can be told from chance."""
MAX_VOTES = 100
"""First votes of a voter that are looked at."""
ANOMALY_LEVEL = 0.05
"""A voter is flagged when the evidence against a common pattern exceeds 1 / this level (Ville's inequality)."""
FREQUENT_QUANTILE = 0.9999
"""Prompts more frequent than this quantile of all prompts' counts are sampled down to it."""
_MIN_FREQUENT = 20
"""Below this count no prompt is too frequent, whatever the quantile."""
_KEY_LENGTH = 10_000

_MODEL_NAMES = re.compile(
    r"\b(?:chat ?gpt|gpt-?[345](?:\.5)?o?|openai|anthropic|claude|google deepmind|gemini|bard|palm 2|"
    r"llama[ -]?[234]?|meta ai|vicuna|alpaca|"
    r"mistral ai|mixtral|qwen|tongyi|deepseek|cohere|command r\+?|grok|xai|ernie bot|chatglm|zephyr|guanaco|"
    r"koala|dolly|lmsys)\b",
    re.IGNORECASE,
)  # fmt: skip
_ERROR = re.compile(
    r"\A\W*(?:NETWORK ERROR|API ERROR|INTERNAL SERVER ERROR|\$MODERATION\$|error_code|YOUR INPUT VIOLATES)",
    re.IGNORECASE,
)


@dataclass
class Cleaned:
    """The votes that count, and why the others do not."""

    kept: list[Battle] = field(default_factory=list)
    dropped: list[tuple[Battle, str]] = field(default_factory=list)
    """Votes with the rule that dropped each."""
    flagged: dict[str, float] = field(default_factory=dict)
    """Anomalous voters, with the factor by which chance is exceeded."""

    def counts(self) -> dict[str, int]:
        """Dropped votes by rule."""
        return self.reading().counts()

    def reading(self, unreadable: Sequence[BadRecord] = ()) -> Reading:
        """What became of the records that these votes are among.

        Args:
            unreadable: The records that are no votes.
        """
        return Reading(len(self.kept), unreadable, [(battle.where, rule) for battle, rule in self.dropped])


def clean(battles: Iterable[Battle], *, seed: int = 0, anomalies: bool = True) -> Cleaned:
    """Drops votes that do not count.

    A vote is repeated where judge, item, models and answers are those of an earlier one; a judge who is not named
    repeats nothing.

    Args:
        battles: Votes, in the order in which they were cast.
        seed: Decides which votes of an over-frequent prompt stay.
        anomalies: Look for anomalous voters.
    """
    result = Cleaned()
    seen: set[tuple[object, ...]] = set()
    usable = []
    for battle in battles:
        rule = _unusable(battle)
        sides = [(battle.model_a, battle.response_a or ""), (battle.model_b, battle.response_b or "")]
        vote = (battle.judge, battle.item, *sorted(sides))
        if rule is None and battle.judge is not None:
            if vote in seen:
                rule = "repeated vote of one judge on one item"
            seen.add(vote)
        if rule is None:
            usable.append(battle)
        else:
            result.dropped.append((battle, rule))
    if anomalies:
        result.flagged = anomalous_voters(usable)
        result.dropped += [(b, "anomalous voter") for b in usable if b.judge in result.flagged]
        usable = [battle for battle in usable if battle.judge not in result.flagged]
    keep = _thinned(usable, seed)
    result.kept = [battle for number, battle in enumerate(usable) if number in keep]
    result.dropped += [(b, "high-frequency prompt") for number, b in enumerate(usable) if number not in keep]
    return result


def _unusable(battle: Battle) -> str | None:
    if not battle.anonymous:
        return "models were shown to the judge"
    for text in (battle.response_a, battle.response_b):
        if text is None:
            continue
        if not text.strip():
            return "empty answer"
        if _ERROR.match(text):
            return "error message instead of an answer"
        if (named := _MODEL_NAMES.search(text)) and not _MODEL_NAMES.search(battle.prompt or ""):
            return f"answer names a model or its maker ({named.group().lower()})"
    return None


def anomalous_voters(battles: Sequence[Battle]) -> dict[str, float]:
    """Voters whose votes are explained far better by something else than the answers.

    The ratings of all votes (ties with a parameter of their own) give each vote its probability. Against it stand four
    other voters: one at random, one against the ratings, one who takes the left answer and one who takes the right one
    (each errs in a tenth of its votes). The likelihood ratio of a voter's first `MAX_VOTES` votes is followed
    vote by vote, averaged over the four; for a voter who votes as the ratings say it exceeds 1 /
    `ANOMALY_LEVEL` with at most that probability at any time (Ville's inequality). Voters beyond are flagged,
    from `MIN_VOTES` votes on.

    Args:
        battles: Votes in the order in which they were cast.

    Returns:
        The likelihood ratio by flagged voter.
    """
    named = [battle for battle in battles if battle.judge is not None]
    if len({battle.judge for battle in named}) < 2:
        return {}
    try:
        ratings = rate(battles, method="newman")
    except DataError:  # no two models are comparable: nothing says what is usual
        return {}
    strengths, tie = ratings.strengths(), ratings.tie_parameter or 0.0
    logs: dict[str, list[float]] = defaultdict(lambda: [0.0] * 4)
    votes: Counter[str] = Counter()
    flagged: dict[str, float] = {}
    for battle in named:
        judge = battle.judge or ""
        if votes[judge] >= MAX_VOTES or not {battle.model_a, battle.model_b} <= strengths.keys():
            continue
        votes[judge] += 1
        gap = (strengths[battle.model_a] - strengths[battle.model_b]) / 2
        weights = {1.0: math.exp(gap), 0.0: math.exp(-gap), 0.5: 2 * tie}
        usual = {score: weight / sum(weights.values()) for score, weight in weights.items()}
        decided = 1 - usual[0.5]
        contrary = {1.0: usual[0.0], 0.0: usual[1.0], 0.5: usual[0.5]}
        others = (
            {1.0: decided / 2, 0.0: decided / 2, 0.5: usual[0.5]}, contrary,
            *({side: 0.9 * decided, 1 - side: 0.1 * decided, 0.5: usual[0.5]} for side in (1.0, 0.0)),
        )  # fmt: skip
        sums = logs[judge]
        for number, other in enumerate(others):
            sums[number] += math.log(max(other[battle.score], 1e-9) / max(usual[battle.score], 1e-9))
        top = max(sums)
        ratio = top + math.log(sum(math.exp(value - top) for value in sums) / len(sums))
        if votes[judge] >= MIN_VOTES and ratio > -math.log(ANOMALY_LEVEL):
            flagged[judge] = max(flagged.get(judge, 0.0), math.exp(min(ratio, 700)))
    return flagged


def _thinned(battles: Sequence[Battle], seed: int) -> set[int]:
    """Positions that stay after over-frequent prompts were sampled down."""
    groups: dict[str, list[int]] = defaultdict(list)
    for number, battle in enumerate(battles):
        text = battle.prompt
        groups[text[:_KEY_LENGTH] if text is not None else f"\0{number}"].append(number)
    counts = sorted(len(group) for group in groups.values())
    limit = (
        max(_MIN_FREQUENT, counts[min(len(counts) - 1, math.floor(FREQUENT_QUANTILE * len(counts)))])
        if counts
        else 0
    )
    kept: set[int] = set()
    for text, group in groups.items():
        if len(group) > limit:
            group = random.Random(f"{seed}:{content_hash(text)}").sample(group, limit)
        kept.update(group)
    return kept
