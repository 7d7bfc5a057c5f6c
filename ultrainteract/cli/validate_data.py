"""`validate-data`: any dataset in UltraInteract's or a trainer's layout against every rule it should keep."""

from __future__ import annotations

from typing import Annotated

import typer


def validate_data(
    source: Annotated[str, typer.Argument(help="A file, a folder, or a Hub dataset id.", show_default=False)],
    revision: Annotated[str | None, typer.Option(help="Revision of a Hub dataset.")] = None,
    rules: Annotated[bool, typer.Option("--rules", help="List the rules and stop.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Check a dataset's invariants and say what breaks where; exit code 10 if anything does."""
    from rich.table import Table

    from ultrainteract.cli.terminal import terminal
    from ultrainteract.dataset.validate import RULES, validate
    from ultrainteract.errors import DataError
    from ultrainteract.readers.tables import open_tables

    console = terminal()
    if rules:
        for name, meaning in RULES.items():
            print(f"{name}\t{meaning}")
        return
    report = validate(open_tables(source, revision))
    if json:
        import orjson

        print(orjson.dumps(report.to_json(), option=orjson.OPT_INDENT_2).decode())
    else:
        table = Table("table", "layout", "rows", "violations")
        for name, rows in report.rows.items():
            broken = sum(count for (where, _), count in report.broken.items() if where == name)
            table.add_row(name, report.layouts[name], f"{rows:,}", f"{broken:,}" if broken else "none")
        console.print(table)
        for (name, rule), count in sorted(report.broken.items()):
            console.print(f"{name}: {rule} ({RULES[rule]}): {count:,}", markup=False, highlight=False)
            for example in report.examples[name, rule]:
                console.print(f"    {example}", markup=False, highlight=False, soft_wrap=True)
    if not report.ok:
        raise DataError(
            f"{source} breaks {len(report.broken)} rule(s), {sum(report.broken.values()):,} time(s)."
        )
