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
    import os
    import tempfile
    from dataclasses import asdict

    from ultrainteract.cli.terminal import terminal
    from ultrainteract.config import PublishConfig
    from ultrainteract.dataset.source import Source, spent
    from ultrainteract.errors import HubError
    from ultrainteract.exporting import export_trees
    from ultrainteract.hub import check_rights, check_simulated, prepare
    from ultrainteract.hub import push as publish
    from ultrainteract.hub.watch import FOLDER
    from ultrainteract.hub.watch import watch as keep_published
    from ultrainteract.statistics.statistics import Statistics

    talk = terminal(stderr=True)
    with Source.open(source, mixed=mixed) as opened:
        base = opened.publish or PublishConfig()
        changes = {
            "repo": repo, "private": private or None, "revision": revision, "create_pr": create_pr or None,
            "licence": licence,
        }  # fmt: skip
        config = base.model_copy(update={name: value for name, value in changes.items() if value is not None})
        export = opened.export
        if formats:
            export = export.model_copy(update={"formats": tuple(formats)})
        check_simulated(opened.info.simulated, allow_simulated)
        rights = None
        if dry_run is None:
            rights = check_rights(config, replace=replace)
            talk.print(f"{rights.user} may write to the dataset {rights.repo}.")
            if check:
                return
        if watch is not None:
            if rights is None or not opened.is_run:
                raise HubError("--watch publishes a run directory on the Hub; it does not go with --dry-run.")
            for step in keep_published(
                source, rights, config, export, minutes=watch, allow_simulated=allow_simulated
            ):
                talk.print(str(step) if isinstance(step, HubError) else f"Published {step.url}")
            return
        figures = Statistics()
        folder = Path(source)
        with tempfile.TemporaryDirectory(prefix="ultrainteract-push-") as scratch:
            if opened.is_run:
                kept = dry_run is None and folder.is_dir()
                folder = folder / FOLDER if kept else Path(scratch)
                export_trees(opened.trees, folder, export, opened.info, figures, min(8, os.cpu_count() or 1))
            else:
                for tree in opened.trees:
                    figures.add(tree)
            found = figures.to_json()
            if opened.spend:
                found["spent"] = spent(opened.spend, figures.pairs)
            chosen = export.formats if opened.is_run else tuple(formats or ())
            publication = prepare(folder, opened.info, found, formats=chosen, allow_simulated=allow_simulated)
            if rights is None:
                publication.write(dry_run or folder, config.repo or "user/name", config)
                print(dry_run)
                return
            published = publish(publication, rights, config, message=message)
    if json:
        import orjson

        print(orjson.dumps(asdict(published)).decode())
    else:
        print(published.url)
        if not published.changed:
            talk.print("Everything was there already.")
