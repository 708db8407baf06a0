"""scikit-learn's handwritten digits: real scans that come with the package."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from nasnet_keras.data.sources.dataset_format import DatasetFormat
from nasnet_keras.data.sources.image_dataset import ImageDataset
from nasnet_keras.data.sources.split import Split

_TEST_FRACTION = 0.2
_SPLIT_SEED = 0
_WHITE = 16  # Inked pixels in a 4x4 block.


class Digits(DatasetFormat):
    """The 1,797 scans of 8x8 pixels (UCI Optical Recognition of Handwritten Digits).

    The split is ours: stratified, fixed, 1,437 to train and 360 to test. scikit-learn does not name
    the writers, who are in both parts, so accuracy is higher than on new writers.
    """

    names: ClassVar[dict[str, str]] = {"digits": ""}
    needs_directory = False
    in_memory = True

    def splits(self) -> tuple[str, ...]:
        return ("train", "test")

    def load(self, split: Split) -> ImageDataset:
        """Loads a split; grey is repeated to three channels."""
        from sklearn import datasets, model_selection

        digits = datasets.load_digits()
        train, test = model_selection.train_test_split(
            np.arange(len(digits.target)),
            test_size=_TEST_FRACTION,
            stratify=digits.target,
            random_state=_SPLIT_SEED,
        )
        chosen = train if split.name == "train" else test
        grey = np.round(digits.images[chosen] * (255 / _WHITE)).astype(np.uint8)
        dataset = ImageDataset(
            name="digits",
            split=str(split),
            images=np.repeat(grey[..., np.newaxis], 3, axis=-1),
            labels=digits.target[chosen].astype(np.int64),
            class_names=tuple(str(name) for name in digits.target_names),
        )
        return split.of(dataset)
