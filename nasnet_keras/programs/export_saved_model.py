"""Writes a trained image classifier as a SavedModel with two signatures.

  nasnet-keras export-saved-model --checkpoint_path=runs/digits --output_dir=saved_model

serving_default takes preprocessed float images; serve_bytes takes image files (JPEG but no CMYK,
PNG, BMP of 24 or 32 bits a pixel without compression) and returns the best classes. Their outputs
are compared with the network's before the directory appears.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from nasnet_keras.programs.command_line import import_keras_quietly
from nasnet_keras.programs.program import Program
from nasnet_keras.settings import MOST_SIDE, Count, Settings
from nasnet_keras.text.plain_text import say


@dataclass(frozen=True)
class Flags(Settings):
    """What is exported, and where.

    Attributes:
        checkpoint_path: A run directory, a .keras file, or published weights with their network:
            imagenet:nasnet_mobile.
        output_dir: Where to write the SavedModel.
        top_k: Classes that serve_bytes returns.
        overwrite: Replace what is in the output directory.
        image_size: Side of the images, for a network that takes any size.
        preprocessing_name: How pixels are scaled to the network's range. Default: the run's.
        exif_orientation: Turn photographs upright, as their EXIF orientation says. Default: as in
            training.
    """

    _most: ClassVar[dict[str, int]] = {"image_size": MOST_SIDE}

    checkpoint_path: str
    output_dir: str
    top_k: Count = 5
    overwrite: bool = False
    image_size: Count | None = None
    preprocessing_name: str | None = None
    exif_orientation: bool | None = None


def main(flags: Flags) -> None:
    import_keras_quietly()
    from nasnet_keras.classification.trained_model import load_trained_model
    from nasnet_keras.export import export_saved_model
    from nasnet_keras.export.saved_model import check_output_directory

    check_output_directory(flags.output_dir, flags.overwrite)
    trained = load_trained_model(
        flags.checkpoint_path,
        flags.image_size,
        flags.preprocessing_name,
        exif_orientation=flags.exif_orientation,
    )
    difference = export_saved_model(trained, flags.output_dir, flags.top_k, flags.overwrite)
    say(
        f"wrote {flags.output_dir}: serving_default (images of {trained.image_size} pixels a side) "
        f"and serve_bytes; largest difference from the network {difference:.1e}"
    )


PROGRAM = Program(main, (Flags,))
