"""What a converter has mapped, as a table."""

from __future__ import annotations

from collections import Counter
from math import prod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nasnet_keras.weights.assign import LoadReport


def show_mapped(report: LoadReport, model: Any, output_path: str) -> None:
    """Prints the variables and parameters of every scope that were set, and what was left out.

    Args:
        report: What a loader returned.
        model: What it loaded.
        output_path: What was written.
    """
    from rich.table import Table

    from nasnet_keras.text.plain_console import PlainConsole

    sizes = {variable.path: prod(variable.shape) for variable in model.weights}
    variables, parameters = Counter(), Counter()
    for path in report.assigned:
        scope = path.split("/", 1)[0]
        variables[scope] += 1
        parameters[scope] += sizes[path]
    table = Table("scope", title=report.source, show_footer=True)
    table.columns[0].footer = "total"
    for header, counts in (("variables", variables), ("parameters", parameters)):
        table.add_column(header, justify="right", footer=f"{sum(counts.values()):,}")
    for scope in variables:
        table.add_row(scope, f"{variables[scope]:,}", f"{parameters[scope]:,}")
    console = PlainConsole(soft_wrap=True)
    console.print(table)
    if report.averaged:
        console.print(f"from moving averages: {report.averaged:,} variables")
    if report.kept:
        console.print(f"left at their initial values: {len(report.kept):,} variables of the model")
    if report.skipped:
        scopes = ", ".join(sorted({name.split("/", 1)[0] for name in report.skipped}))
        console.print(f"not in the model: {len(report.skipped):,} variables ({scopes})")
    if report.ignored:
        console.print(f"not weights: {len(report.ignored):,} (step, optimizer, unused averages)")
    console.print(f"wrote {output_path}")
