"""Writes a small detection dataset: scanned digits on photographs, in COCO's layout, no download.

  nasnet-keras detect make-toy-dataset --output_dir=runs/toy

A split that it wrote there before is replaced; one of a different dataset is refused.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from nasnet_keras.programs.program import Program
from nasnet_keras.settings import Count, NonNegativeInt, Settings


@dataclass(frozen=True)
class Flags(Settings):
    """What is written, and where.

    Attributes:
        output_dir: Directory of the dataset; it must not contain a different one.
        train_images: Training images.
        val_images: Validation images.
        seed: The same seed gives the same files.
    """

    output_dir: str
    train_images: Count = 1200
    val_images: Count = 200
    seed: NonNegativeInt = 0


def main(flags: Flags) -> None:
    from nasnet_keras.detection.data.toy_dataset import write_toy_dataset

    write_toy_dataset(
        flags.output_dir,
        train_images=flags.train_images,
        val_images=flags.val_images,
        seed=flags.seed,
        on_progress=_show,
    )
    print(
        f"wrote {flags.train_images} training and {flags.val_images} validation images to "
        f"{flags.output_dir}"
    )


def _show(split: str, done: int, total: int) -> None:
    if done == total or done % 200 == 0:
        print(f"{split}: {done} of {total} images", file=sys.stderr)


PROGRAM = Program(main, (Flags,))
