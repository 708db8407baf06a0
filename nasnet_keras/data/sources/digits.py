"""scikit-learn's handwritten digits: real scans that come with the package."""

from __future__ import annotations

import numpy as np

from nasnet_keras.data.sources.image_dataset import ImageDataset

SPLITS = ("train", "test")
_TEST_SHARE = 0.2
_SPLIT_SEED = 0
_WHITE = 16  # The scans count inked pixels in 4x4 blocks.


def load_digits(split: str) -> ImageDataset:
    """Loads the 1,797 scans of 8x8 pixels (UCI Optical Recognition of Handwritten Digits).

    The split is ours: stratified, always the same, 1,437 to train and 360 to test. scikit-learn
    does not say who wrote which digit, so writers are in both parts and the accuracy is higher
    than on writers never seen.

    Args:
        split: `"train"` or `"test"`.

    Returns:
        The split, grey repeated to three channels.
    """
    from sklearn import datasets, model_selection

    digits = datasets.load_digits()
    train, test = model_selection.train_test_split(
        np.arange(len(digits.target)),
        test_size=_TEST_SHARE,
        stratify=digits.target,
        random_state=_SPLIT_SEED,
    )
    chosen = train if split == "train" else test
    grey = np.round(digits.images[chosen] * (255 / _WHITE)).astype(np.uint8)
    return ImageDataset(
        name="digits",
        split=split,
        images=np.repeat(grey[..., np.newaxis], 3, axis=-1),
        labels=digits.target[chosen].astype(np.int64),
        class_names=tuple(str(name) for name in digits.target_names),
    )
