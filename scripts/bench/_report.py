"""What every benchmark ends with: its ratios against targets, one JSON line, an exit code under `--check`."""

from __future__ import annotations

import json
import sys


def finish(ratios: dict[str, float], targets: dict[str, tuple[str, float]], *, check: bool) -> None:
    """Prints each ratio beside its target and the JSON line; exits 1 under `check` where one is missed.

    Args:
        ratios: Measured ratios by name.
        targets: For some of them, `("<=" or ">=", bound)`.
        check: Whether a missed target is an error.
    """
    missed = []
    for name, (relation, bound) in targets.items():
        met = ratios[name] <= bound if relation == "<=" else ratios[name] >= bound
        print(f"{'ok  ' if met else 'MISS'}  {name}: {ratios[name]:.3f} (target {relation} {bound:g})")
        if not met:
            missed.append(name)
    print(json.dumps({name: round(value, 4) for name, value in ratios.items()}))
    if check and missed:
        sys.exit(1)
