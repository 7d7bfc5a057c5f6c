"""`curate`: a small set of the best and most diverse samples of a pool."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ultrainteract.cli.arguments import Json


def curate(
    source: Annotated[
        list[str], typer.Argument(help="Run directories, folders of exports, or Hub dataset ids.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write the sets to.")],
    n: Annotated[int, typer.Option("--n", help="Samples wanted.", min=1)] = 1000,
    formats: Annotated[
        list[str] | None, typer.Option("--format", "-f", help="An export; may be repeated.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the random set and of topics.")] = 0,
    min_reliability: Annotated[
        float, typer.Option(help="Minimum reliability of a sample's evidence.", min=0, max=1)
    ] = 0.8,
    max_pass_rate: Annotated[
        float, typer.Option(help="Maximum pass rate of the problems of first choice.", min=0, max=1)
    ] = 0.5,
    temperature: Annotated[
        float, typer.Option(help="Share of a stratum of s samples is s^(1/temperature).", min=1)
    ] = 3.0,
    similarity: Annotated[
        float, typer.Option(help="Similarity from which on problems are near-duplicates.", min=0, max=1)
    ] = 0.9,
    license: Annotated[
        list[str] | None, typer.Option(help="An allowed license of the seed data; may be repeated.")
    ] = None,
    guided: Annotated[
        bool, typer.Option("--guided", help="Allow actions written with the answer in view.")
    ] = False,
    simulated: Annotated[bool, typer.Option("--simulated", help="Allow simulated trees.")] = False,
    jobs: Annotated[int, typer.Option(help="Processes to use; 0 for one per core.", min=0)] = 0,
    mixed: Annotated[bool, typer.Option("--mixed", help="Allow runs of different settings.")] = False,
    json: Json = False,
) -> None:
    """Choose n samples of n instructions, beside a random and a longest set of equal size."""
    from ultrainteract import api
    from ultrainteract.cli.terminal import terminal
    from ultrainteract.cli.views.curation import show_curation
    from ultrainteract.curation import CurationRule

    rule = CurationRule(
        n=n, seed=seed, min_reliability=min_reliability, max_pass_rate=max_pass_rate, temperature=temperature,
        similarity=similarity, licenses=tuple(license or ()), guided=guided, simulated=simulated,
    )  # fmt: skip
    report = api.curate(
        *source, output=output, rule=rule, formats=formats or ("sft", "trees"), jobs=jobs, mixed=mixed
    )
    if json:
        print(report.model_dump_json(indent=2))
        return
    show_curation(report, output, terminal())
