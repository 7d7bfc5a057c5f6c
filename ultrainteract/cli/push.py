"""`push`: a run, or a folder of exports, on the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ultrainteract.hub import Published


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
    private: Annotated[
        bool, typer.Option("--private", help="Make a new dataset private; refuse a public one.")
    ] = False,
    revision: Annotated[str | None, typer.Option(help="Branch to push to.")] = None,
    create_pr: Annotated[
        bool, typer.Option("--create-pr", help="Open a pull request, or update the open one.")
    ] = False,
    license: Annotated[
        str | None,
        typer.Option("--license", "--licence", help="License of the whole, by its SPDX or Hub identifier."),
    ] = None,
    message: Annotated[str, typer.Option("--message", "-m", help="Commit message.")] = "",
    dry_run: Annotated[
        Path | None,
        typer.Option(
            "--dry-run",
            help="Write everything into this folder instead: `--dry-run card/`.",
            metavar="FOLDER",
        ),
    ] = None,
    allow_simulated: Annotated[
        bool, typer.Option("--allow-simulated", help="Publish simulated data, marked as such.")
    ] = False,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace",
            help="Publish into a dataset that holds something else; no file of others is touched.",
        ),
    ] = False,
    mixed: Annotated[bool, typer.Option("--mixed", help="Allow runs of different settings.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Check the rights only; nothing is made.")] = False,
    watch: Annotated[
        float | None,
        typer.Option(help="Publish what a run has finished every so many minutes, until it ends."),
    ] = None,
    viewer: Annotated[
        str | None,
        typer.Option(help="Then publish the viewer with all trees as this static Space.", metavar="SPACE"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print what was published as JSON.")] = False,
) -> None:
    """Publish in one commit: Parquet, card, configuration and figures; then read it back and compare."""
    from dataclasses import asdict

    import orjson

    from ultrainteract import api
    from ultrainteract.cli.terminal import terminal
    from ultrainteract.errors import HubError

    console = terminal(stderr=True)

    def say(line: str) -> None:
        console.print(line, markup=False, highlight=False)

    def show(published: Published) -> None:
        if json:
            print(orjson.dumps(asdict(published)).decode(), flush=True)
        else:
            print(published.url, flush=True)
            if not published.changed:
                say("Everything was there already.")

    settings = {
        "private": private or None, "revision": revision, "create_pr": create_pr or None, "license": license,
    }  # fmt: skip
    rights = None
    if dry_run is None:
        rights = api.check_push(
            source,
            repo,
            settings=settings,
            formats=formats or (),
            allow_simulated=allow_simulated,
            replace=replace,
            mixed=mixed,
        )
        made = "" if rights.exists else ", which the push makes"
        say(f"{rights.user} may {'propose' if create_pr else 'write'} to the dataset {rights.repo}{made}.")
        if check:
            return
    if viewer is not None and (watch is not None or dry_run is not None):
        raise HubError(
            "--viewer goes with neither --watch nor --dry-run (`view --bundle` writes the same files)."
        )
    if watch is not None:
        if rights is None:
            raise HubError("--watch publishes a run directory on the Hub; it does not go with --dry-run.")
        for step in api.watch_push(
            source, repo, minutes=watch, settings=settings, rights=rights, formats=formats or (),
            message=message, allow_simulated=allow_simulated, say=say,
        ):  # fmt: skip
            if isinstance(step, HubError):
                say(str(step))
            else:
                show(step)
        return
    published = api.push(
        source, repo, settings=settings, rights=rights, formats=formats or (), message=message,
        allow_simulated=allow_simulated, replace=replace, dry_run=dry_run, mixed=mixed, say=say,
    )  # fmt: skip
    if published is None:
        print(dry_run)
    else:
        show(published)
        if viewer is not None:
            print(api.push_viewer(source, viewer, private=private, say=say), flush=True)
