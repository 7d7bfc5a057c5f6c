"""`push`: a run, or a folder of exports, on the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def push(
    source: Annotated[
        str,
        typer.Argument(
            help="A run directory, a folder (or glob) of shards, or of exports.", show_default=False
        ),
    ],
    repo: Annotated[
        str | None,
        typer.Argument(
            help="Dataset id on the Hub; publish.repo of the run if left out.", show_default=False
        ),
    ] = None,
    formats: Annotated[
        list[str] | None, typer.Option("--format", "-f", help="An export to publish; may be repeated.")
    ] = None,
    private: Annotated[bool, typer.Option("--private", help="Make a new dataset private.")] = False,
    revision: Annotated[str | None, typer.Option(help="Branch to push to.")] = None,
    create_pr: Annotated[bool, typer.Option("--create-pr", help="Open a pull request.")] = False,
    licence: Annotated[str | None, typer.Option(help="Licence of the whole, as the Hub spells it.")] = None,
    message: Annotated[str, typer.Option("--message", "-m", help="Commit message.")] = "",
    dry_run: Annotated[
        Path | None,
        typer.Option("--dry-run", help="Write everything into this folder instead.", metavar="FOLDER"),
    ] = None,
    allow_simulated: Annotated[
        bool, typer.Option("--allow-simulated", help="Publish simulated data, marked as such.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Publish into a dataset that holds something else.")
    ] = False,
    mixed: Annotated[bool, typer.Option("--mixed", help="Allow runs of different settings.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Check the rights only.")] = False,
    watch: Annotated[
        float | None,
        typer.Option(help="Publish what a run has finished every so many minutes, until it ends."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print what was published as JSON.")] = False,
) -> None:
    """Publish in one commit: Parquet, card, configuration and figures; then read it back and compare."""
    from dataclasses import asdict

    from ultrainteract import api
    from ultrainteract.cli.terminal import terminal
    from ultrainteract.errors import HubError

    console = terminal(stderr=True)
    settings = {
        "private": private or None, "revision": revision, "create_pr": create_pr or None, "licence": licence,
    }  # fmt: skip
    rights = None
    if dry_run is None:
        rights = api.check_push(
            source, repo, settings=settings, allow_simulated=allow_simulated, replace=replace, mixed=mixed
        )
        console.print(f"{rights.user} may write to the dataset {rights.repo}.")
        if check:
            return
    if watch is not None:
        if rights is None:
            raise HubError("--watch publishes a run directory on the Hub; it does not go with --dry-run.")
        for step in api.watch_push(
            source, repo, minutes=watch, settings=settings, rights=rights, formats=formats or (),
            allow_simulated=allow_simulated,
        ):  # fmt: skip
            console.print(str(step) if isinstance(step, HubError) else f"Published {step.url}")
        return
    published = api.push(
        source, repo, settings=settings, rights=rights, formats=formats or (), message=message,
        allow_simulated=allow_simulated, replace=replace, dry_run=dry_run, jobs=0, mixed=mixed,
    )  # fmt: skip
    if published is None:
        print(dry_run)
    elif json:
        import orjson

        print(orjson.dumps(asdict(published)).decode())
    else:
        print(published.url)
        if not published.changed:
            console.print("Everything was there already.")
