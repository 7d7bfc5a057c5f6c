"""`validate-data`: any dataset in UltraInteract's or a trainer's layout against every rule it should keep."""

from __future__ import annotations

from typing import Annotated

import typer


def validate_data(
    source: Annotated[
        str | None, typer.Argument(help="A file, a folder, or a Hub dataset id.", show_default=False)
    ] = None,
    revision: Annotated[str | None, typer.Option(help="Revision of a Hub dataset.")] = None,
    rules: Annotated[bool, typer.Option("--rules", help="List the rules and stop.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Check a dataset's invariants and say what breaks where; exit code 10 if anything does."""
    from ultrainteract import api
    from ultrainteract.cli.terminal import terminal
    from ultrainteract.cli.views.checks import show_violations, show_warnings
    from ultrainteract.errors import ConfigError, DataError

    if rules:
        for name, meaning in api.data_rules().items():
            print(f"{name}\t{meaning}")
        return
    if source is None:
        raise ConfigError("Name a file, a folder or a Hub dataset id to check, or use --rules.")
    report = api.validate_data(source, revision=revision)
    if json:
        import orjson

        print(orjson.dumps(report.to_json(), option=orjson.OPT_INDENT_2).decode())
    else:
        show_violations(report, api.data_rules(), terminal())
        show_warnings(report, terminal())
    if not report.ok:
        raise DataError(
            f"{source} breaks {len(report.broken)} rule(s), {sum(report.broken.values()):,} time(s)."
        )
