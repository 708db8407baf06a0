"""Lists the best children of a search, with their costs.

  nasnet-keras search top --run_dir=runs/search --count=5

Their cells are in children/CHILD/genotype.json of the search's directory.
"""

from __future__ import annotations

from nasnet_keras.programs.program import Program
from nasnet_keras.programs.search.outputs import BestFlags, print_table
from nasnet_keras.text.plain_text import say


def show_top(flags: BestFlags) -> None:
    from nasnet_keras.search.engine.run_directory import RunDirectory
    from nasnet_keras.search.report.history import read_history
    from nasnet_keras.search.report.tables import ranking

    history = read_history(RunDirectory(flags.run_dir))
    print_table(ranking(history.best(flags.count)))
    say(f"genotypes: {history.path}/children/CHILD/genotype.json")


PROGRAM = Program(show_top, (BestFlags,))
