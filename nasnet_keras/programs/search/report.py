"""Writes a report of a search: its progress, its best children, and drawings of their cells.

  nasnet-keras search report --run_dir=runs/search --output=report.html

It is one self-contained HTML page.
"""

from __future__ import annotations

from dataclasses import dataclass

from nasnet_keras.programs.program import Program
from nasnet_keras.programs.search.outputs import check_suffix
from nasnet_keras.settings import Count, Settings


@dataclass(frozen=True)
class Flags(Settings):
    """What is reported, and where.

    Attributes:
        run_dir: Directory of the search.
        output: The .html file to write.
        count: How many of the best children.
    """

    run_dir: str
    output: str
    count: Count = 10


def report(flags: Flags) -> None:
    from nasnet_keras.search.engine.run_directory import RunDirectory
    from nasnet_keras.search.report.report import write_report

    check_suffix(flags.output, ".html")
    write_report(RunDirectory(flags.run_dir), flags.output, flags.count)
    print(f"wrote {flags.output}")


PROGRAM = Program(report, (Flags,))
