"""Writes a small detection dataset: scanned digits on photographs, in COCO's layout, no download.

  python object_detection/make_toy_dataset.py --output_dir=runs/toy

A split that it wrote there before is replaced; one of another dataset is refused.
"""

import sys

from absl import flags

from nasnet_keras.detection.data.toy_dataset import write_toy_dataset
from nasnet_keras.programs.command_line import run

_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "Directory of the dataset; no other dataset may be in it."
)
_TRAIN_IMAGES = flags.DEFINE_integer("train_images", 1200, "Images to train on.")
_VAL_IMAGES = flags.DEFINE_integer("val_images", 200, "Images held out.")
_SEED = flags.DEFINE_integer("seed", 0, "The same seed gives the same files.")


def main(arguments: list[str]) -> int:
    if not _OUTPUT_DIR.value:
        raise ValueError("--output_dir is missing: name the directory of the dataset")
    write_toy_dataset(
        _OUTPUT_DIR.value,
        train_images=_TRAIN_IMAGES.value,
        val_images=_VAL_IMAGES.value,
        seed=_SEED.value,
        on_progress=_show,
    )
    print(
        f"wrote {_TRAIN_IMAGES.value} training and {_VAL_IMAGES.value} validation images to "
        f"{_OUTPUT_DIR.value}"
    )
    return 0


def _show(split: str, done: int, total: int) -> None:
    if done == total or done % 200 == 0:
        print(f"{split}: {done} of {total} images", file=sys.stderr)


if __name__ == "__main__":
    run(main)
