"""What is measured of a model: success by turn, format failures, best-of-n, and loss on plain chats."""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from examples.closed_loop.problems import ASKED
from ultrainteract import recorded_calls
from ultrainteract.store import RunStore
from ultrainteract.training.scoring import RewardModel

CHATS = Path(__file__).with_name("chats.jsonl")


def success_by_turn(run: Path, turns: int) -> dict[str, Any]:
    """Success by turn of rollouts with one sample per turn, cumulative, and how many first answers cannot be graded.

    Args:
        run: A run directory whose ladder draws one sample.
        turns: Its turn cap.

    Returns:
        `solved`: for each problem the turn at which it was solved, 0 where it was not; `unreadable`: share of first
        answers without a verdict.
    """
    solved: dict[str, int] = {}
    unreadable = 0
    with RunStore.open(run) as store:
        for tree in store.trees():
            at = next((n for n, turn in enumerate(tree.turns, 1) if turn.first_correct), 0)
            solved[tree.instruction.question] = at
            unreadable += not tree.turns or tree.turns[0].first_correct is None
    return {
        "solved": solved,
        "unreadable": unreadable / max(1, len(solved)),
        "turns": turns,
    }


def best_of(run: Path, reward: Path, gold: dict[str, str]) -> dict[str, Any]:
    """Best-of-n on the samples of a run, by reward model, by length, by majority, at random, and at best.

    Where a problem has right and wrong samples: also the share of such pairs that each puts in order.

    Args:
        run: A run directory of one turn, whose samples were all drawn.
        reward: A reward model.
        gold: Right answers by question.
    """
    texts: dict[str, list[str]] = defaultdict(list)
    for call in recorded_calls(run):
        if call.role == "actor" and call.text:
            question = call.messages[-1].content
            texts[next(known for known in gold if question.startswith(known))].append(call.text)
    model = RewardModel.load(reward)
    rows: dict[str, list[float]] = defaultdict(list)
    for question, samples in texts.items():
        prompt = [{"role": "user", "content": ASKED.format(question=question)}]
        scores = model.score([(prompt, [{"role": "assistant", "content": text}]) for text in samples])
        right = [answer(text) == gold[question] for text in samples]
        answers = [answer(text) for text in samples]
        known = [found for found in answers if found is not None]
        rows["random"].append(fmean(right))
        rows["reward model"].append(right[scores.index(max(scores))])
        rows["shortest"].append(right[min(range(len(samples)), key=lambda n: len(samples[n]))])
        rows["majority"].append(max(known, key=known.count) == gold[question] if known else 0.0)
        rows["at best"].append(any(right))
        pairs = [(a, b) for a in range(len(right)) for b in range(len(right)) if right[a] and not right[b]]
        if pairs:
            lengths = [-len(text) for text in samples]
            for name, values in (
                ("pairs in order, reward model", scores),
                ("pairs in order, shorter", lengths),
            ):
                rows[name].append(fmean(_above(values[a], values[b]) for a, b in pairs))
    return {name: list(map(float, values)) for name, values in rows.items()}


def _above(one: float, other: float) -> float:
    return 0.5 if one == other else float(one > other)


def answer(text: str) -> str | None:
    """The number behind the last `Answer:`."""
    found = re.findall(r"Answer:\s*\$?(-?\d+)", text)
    return str(int(found[-1])) if found else None


def chat_loss(checkpoint: Path) -> float:
    """Mean loss per token of the answers of a fixed set of plain chats: the guard against unlearning the rest."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from ultrainteract.training.encoding import Encoder

    encoder = Encoder(AutoTokenizer.from_pretrained(checkpoint))
    model = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.float32).eval()
    total, count = 0.0, 0
    for line in CHATS.read_text(encoding="utf-8").splitlines():
        chat = json.loads(line)
        talk = [{"role": "user", "content": chat["user"]}]
        before = encoder.prompt(talk)
        learned = encoder.completion(talk, [{"role": "assistant", "content": chat["assistant"]}], before)
        ids = torch.tensor([before + learned])
        labels = torch.tensor([[-100] * len(before) + learned])
        with torch.no_grad():
            total += float(model(ids, labels=labels).loss) * len(learned)
        count += len(learned)
    return total / count


def ranked(reward: Path, rows: Sequence[dict[str, Any]]) -> dict[str, list[float]]:
    """For each held-out pair whether the reward model, and length alone, tell the right side from the wrong one."""
    model = RewardModel.load(reward)
    chosen, rejected = (
        model.score([(row["prompt"], row[side]) for row in rows]) for side in ("chosen", "rejected")
    )
    lengths = [[len(row[side][-1]["content"]) for row in rows] for side in ("chosen", "rejected")]
    return {
        "reward model": [float(c > r) for c, r in zip(chosen, rejected, strict=True)],
        "shorter": [0.5 if c == r else float(c < r) for c, r in zip(*lengths, strict=True)],
    }


def interval(values: Sequence[float], resamples: int = 4000) -> tuple[float, float]:
    """95 % interval of a mean: Wilson's of a share of items, else by bootstrap over items."""
    if set(values) <= {0.0, 1.0}:
        z, n, share = 1.96, len(values), fmean(values)
        middle, half = share + z * z / (2 * n), z * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5
        return max(0.0, (middle - half) / (1 + z * z / n)), min(1.0, (middle + half) / (1 + z * z / n))
    rng = random.Random(0)
    means = sorted(fmean(rng.choices(values, k=len(values))) for _ in range(resamples))
    return means[int(0.025 * resamples)], means[int(0.975 * resamples) - 1]
