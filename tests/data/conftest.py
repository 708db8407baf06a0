"""Pictures that tests of preprocessing change."""

import numpy as np
import pytest


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (45, 60, 3)).astype(np.uint8)


@pytest.fixture
def ramps() -> np.ndarray:
    """32x32 pixels that say where they come from: row, column, 200."""
    row, column = np.mgrid[1:33, 1:33]
    return np.stack([row, column, 0 * row + 200], axis=-1).astype(np.uint8)
