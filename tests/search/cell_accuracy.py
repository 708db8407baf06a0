"""A made-up accuracy of PNASNet's cells, for tests of what predicts it."""

import numpy as np

WORTH = np.array([0.9, 0.2, 0.5, 0.1, 0.7, 0.3, 0.6, 0.4])


def accuracy(architecture: tuple[int, ...]) -> float:
    """Operations have a worth each; reading the previous cell's output costs a little."""
    cell = np.array(architecture).reshape(-1, 4)
    return float(WORTH[cell[:, 2:]].mean() * 0.8 - 0.05 * (cell[:, :2] == 1).mean() + 0.1)
