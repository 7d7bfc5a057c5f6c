"""Ratings and intervals of the Arena's own library on the votes of the tests, for tests/judgments/data/arena_rank.json.

arena-rank pins versions of its own of JAX and numpy, so it runs in an environment of its own:

    python -m venv oracle && oracle/bin/pip install arena-rank
    oracle/bin/python scripts/arena_rank_oracle.py
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import pandas as pd
from arena_rank.models.bradley_terry import BradleyTerry
from arena_rank.utils.data_utils import PairDataset

DATA = Path(__file__).parents[1] / "tests" / "judgments" / "data"


def main() -> None:
    votes = pd.DataFrame(map(json.loads, (DATA / "mtbench_human_votes.jsonl").read_text().splitlines()))
    dataset = PairDataset.from_pandas(votes)
    model = BradleyTerry(len(dataset.competitors), gtol=1e-12, ftol=1e-15)
    result = model.compute_ratings_and_cis(dataset)
    found = {
        name: {
            "strength": float((result["ratings"][place] - 1000) / model.alpha),
            "low": float((result["rating_lower"][place] - 1000) / model.alpha),
            "high": float((result["rating_upper"][place] - 1000) / model.alpha),
        }
        for place, name in enumerate(dataset.competitors)
    }
    written = {"library": f"arena-rank {version('arena-rank')}", "votes": len(votes), "models": found}
    (DATA / "arena_rank.json").write_text(json.dumps(written, indent=1) + "\n")
    print(json.dumps(written, indent=1))


if __name__ == "__main__":
    main()
