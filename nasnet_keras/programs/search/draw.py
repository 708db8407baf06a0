"""Draws the cells of a child, of a genotype file, or published ones.

  nasnet-keras search draw --run_dir=runs/search
  nasnet-keras search draw --genotype=nasnet_a --output=nasnet_a.png

The suffix of --output selects the format.
"""

from __future__ import annotations

from dataclasses import dataclass

from nasnet_keras.programs.program import Program
from nasnet_keras.programs.search.outputs import child_name, default_output, read_child
from nasnet_keras.settings import NonNegativeInt, Settings
from nasnet_keras.text.plain_text import say


@dataclass(frozen=True)
class Flags(Settings):
    """What is drawn, and where.

    Attributes:
        output: The .svg or .png file to write. Default: best.svg or child-N.svg in the search's
            directory.
        run_dir: Directory of the search.
        child: Number of a child. Default: the one with the highest reward.
        genotype: A genotype's JSON file or a published name, instead of a child.
    """

    output: str | None = None
    run_dir: str | None = None
    child: NonNegativeInt | None = None
    genotype: str | None = None


def draw(flags: Flags) -> None:
    from nasnet_keras.genotypes import get_genotype
    from nasnet_keras.visualization import draw_genotype

    if flags.genotype:
        for name in ("run_dir", "child"):
            if getattr(flags, name) is not None:
                raise ValueError(f"--genotype contradicts --{name}: give one of them")
        if not flags.output:
            raise ValueError("--output is missing: name the .svg or .png file to write")
        genotype, output = get_genotype(flags.genotype), flags.output
    elif flags.run_dir:
        output = flags.output or default_output(flags.run_dir, f"{child_name(flags.child)}.svg")
        genotype = read_child(flags.run_dir, flags.child)
    else:
        raise ValueError("--run_dir is missing: name the directory of the search, or a --genotype")
    draw_genotype(genotype, output)
    say(f"drew {genotype.name} to {output}")


PROGRAM = Program(draw, (Flags,))
