"""Classifies images.

  nasnet-keras classify --model=runs/digits runs/digits/samples/*.png

--model is a run directory, a .keras file, an exported SavedModel or published weights with their
network, e.g. imagenet:nasnet_mobile; a SavedModel is a program, so take none from strangers. A file
that is not an image is reported and the others are classified; the exit code is then 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from nasnet_keras.files.input_files import read_file
from nasnet_keras.programs.command_line import import_keras_quietly
from nasnet_keras.programs.errors import USAGE_ERROR, one_line, print_error
from nasnet_keras.programs.program import Program
from nasnet_keras.settings import MOST_SIDE, Count, Settings
from nasnet_keras.text.plain_text import printable


@dataclass(frozen=True)
class Flags(Settings):
    """How images are classified.

    Attributes:
        model: A run directory, a .keras file, a SavedModel, or published weights with their
            network: imagenet:nasnet_mobile.
        top_k: Classes to name for each file.
        image_size: Side of the images, for a network that takes any size.
        preprocessing_name: How pixels are scaled to the network's range.
        exif_orientation: Turn photographs upright, as their EXIF orientation says. Default: as in
            training.
    """

    _most: ClassVar[dict[str, int]] = {"image_size": MOST_SIDE}

    model: str
    top_k: Count = 3
    image_size: Count | None = None
    preprocessing_name: str | None = None
    exif_orientation: bool | None = None


def main(flags: Flags, arguments: list[str]) -> int:
    if not arguments:
        raise ValueError("no image given: name one or more files")
    import_keras_quietly()
    from rich.table import Table

    from nasnet_keras.classification.classifier import load_classifier
    from nasnet_keras.text.plain_console import PlainConsole

    classifier = load_classifier(
        flags.model,
        flags.top_k,
        flags.image_size,
        flags.preprocessing_name,
        flags.exif_orientation,
    )
    table = Table()
    table.add_column("file", overflow="fold")
    table.add_column("class", overflow="fold")
    table.add_column("score", justify="right")
    errors = 0
    for file in arguments:
        try:
            answer = classifier.classify(read_file(file))
        except OSError as error:
            print_error(error)
            errors += 1
        except ValueError as error:
            print_error(f"{file}: {one_line(error)}")
            errors += 1
        else:
            names = "\n".join(printable(name) for name, _ in answer)
            table.add_row(printable(file), names, "\n".join(f"{score:.2%}" for _, score in answer))
    if table.row_count:
        PlainConsole().print(table)
    return USAGE_ERROR if errors else 0


PROGRAM = Program(main, (Flags,), arguments="FILE...")
