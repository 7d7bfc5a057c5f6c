"""Sizes of the closed loop: tests, a busy machine, one or two hours of two cores, and ten times that for a GPU."""

from __future__ import annotations

from typing import NamedTuple

ARMS = ("more-sft", "dpo", "kto", "nca", "single-turn")
"""What is trained from the SFT model: more of the same as a control, three losses, and one of them without history."""


class Sizes(NamedTuple):
    """How much of everything."""

    sft_problems: int
    """Problems whose trees give the SFT rows."""
    pair_problems: int
    """Problems whose trees give pairs."""
    held_out: int
    """Problems that models are evaluated on."""
    samples: int
    """Maximum samples per turn of a tree."""
    turns: int
    """Turn cap, of trees and of evaluation."""
    pairs: int
    """Pairs that an arm is trained on."""
    max_length: int
    """Maximum length of a pair's sides, tokens."""
    sft_epochs: int
    """Epochs of the SFT stage."""
    best_of: int
    """Samples per held-out problem that the reward model chooses from."""
    seeds: tuple[int, ...]
    """Seeds of the arms' training."""
    arms: tuple[str, ...] = ARMS
    """What is trained."""
    threads: int | None = None
    """Threads of llama.cpp; all cores if None."""


SIZES = {
    "short": Sizes(12, 10, 3, 6, 2, 4, 256, 3, 2, (1,), ("dpo", "single-turn")),
    "tiny": Sizes(40, 20, 30, 5, 2, 12, 192, 4, 3, (1, 2), threads=1),
    "hour": Sizes(60, 48, 60, 6, 2, 32, 192, 4, 4, (1, 2)),
    "cores": Sizes(300, 150, 150, 8, 3, 96, 256, 2, 4, (1, 2)),
    "gpu": Sizes(3000, 1500, 600, 8, 3, 960, 384, 2, 8, (1, 2, 3)),
}
