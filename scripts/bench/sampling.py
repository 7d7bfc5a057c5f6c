"""Completions spent a pair: adaptive waves against the paper's fixed 20 samples, on the real growth policy.

Pass rates are drawn from Beta(0.7, 1.0), and 15 % of the instructions are beyond the first model. Both policies
grow the same instructions with the same rates; only the sampling settings differ.
"""

from __future__ import annotations

import argparse

from _report import finish

from ultrainteract.config import RunConfig, parse_config
from ultrainteract.planning.rehearsal import PassRates, Rehearsal, rehearse
from ultrainteract.schema import Instruction, Task

LADDER = [
    {"name": "sample", "model": "actor", "samples": 20},
    {"name": "repeat-1", "model": "strong", "samples": 20},
    {"name": "repeat-2", "model": "stronger", "samples": 20},
    {"name": "guided", "model": "stronger", "samples": 20, "guided": True},
]


def config(growth: dict[str, object]) -> RunConfig:
    names = ("actor", "strong", "stronger", "pool-a", "pool-b", "critic")
    return parse_config(
        {
            "seeds": [{"dataset": "gsm8k", "path": "unused"}],
            "models": {name: {"provider": "simulated", "model": name} for name in names},
            "growth": {"ladder": LADDER, "pool": ["pool-a", "pool-b"], **growth},
            "critic": {"model": "critic"},
        }
    )


def spent(found: Rehearsal) -> int:
    return sum(count for (role, _, _), count in found.completions.items() if role != "critic")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instructions", type=int, default=1_000)
    parser.add_argument("--check", action="store_true", help="exit 1 below the target")
    arguments = parser.parse_args()
    instructions = [
        Instruction(
            task=Task.MATH_COT, dataset="bench", prompt=f"problem {number}", question=f"problem {number}",
            grader="math", gold=str(number), rationales=(f"{number} = {number}",),
        )
        for number in range(arguments.instructions)
    ]  # fmt: skip
    rates = PassRates(alpha=0.7, beta=1.0, beyond=0.15)
    waves = {"waves": 4, "rejected_from": "actor_then_pool", "pool_samples": 12}
    policies = {
        "fixed": config({"waves": "off", "rejected_from": "pool"}),
        "waves": config(waves),
        "waves and early escalation": config({**waves, "early_escalation": {}}),
    }
    results = {name: rehearse(policy, instructions, rates) for name, policy in policies.items()}
    base = results["fixed"]
    ratios: dict[str, float] = {}
    for name, found in results.items():
        print(
            f"{name:<28} {found.pairs:6} pairs  {spent(found):8} completions  {spent(found) / found.pairs:6.2f} a pair"
        )
        if found is not base:
            key = name.replace(" ", "_")
            ratios[f"{key}:completions_a_pair"] = (spent(found) / found.pairs) / (spent(base) / base.pairs)
            ratios[f"{key}:pairs"] = found.pairs / base.pairs
    adaptive = "waves_and_early_escalation"
    targets = {
        "waves:pairs": (">=", 1.0),
        f"{adaptive}:completions_a_pair": ("<=", 0.4),
        f"{adaptive}:pairs": (">=", 1.0),
    }
    finish(ratios, targets, check=arguments.check)


if __name__ == "__main__":
    main()
