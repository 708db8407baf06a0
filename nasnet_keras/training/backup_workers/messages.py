"""What goes between the process that holds the network and those that compute gradients."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class NetworkState(NamedTuple):
    """All that a share of a step depends on, besides its images.

    Attributes:
        floats: The trained weights, then BN's statistics, one after another, float32.
        integers: Counters and the states of random generators, uint32.
    """

    floats: np.ndarray
    integers: np.ndarray


class Contribution(NamedTuple):
    """What a share brought, or the mean of several.

    Attributes:
        gradients: Of the trained weights, one after another, float32.
        statistics: BN's after the share, float32.
        integers: As in `NetworkState`, after the share.
        metrics: What the share adds to the sums behind loss and accuracy, float32.
    """

    gradients: np.ndarray
    statistics: np.ndarray
    integers: np.ndarray
    metrics: np.ndarray


def combined(state: NetworkState, shares: list[Contribution]) -> Contribution:
    """Returns the mean of the gradients and statistics of shares, and the sum of their metrics.

    Args:
        state: What they were computed from.
        shares: The contributions, in an order that does not depend on who was first.
    """
    before = state.floats[len(state.floats) - len(shares[0].statistics) :]
    # Weights that are not trained stand among the statistics; a mean of equals may round.
    unchanged = np.all([share.statistics == before for share in shares], axis=0)
    return Contribution(
        _mean([share.gradients for share in shares]),
        np.where(unchanged, before, _mean([share.statistics for share in shares])),
        shares[0].integers,
        np.sum([share.metrics for share in shares], axis=0),
    )


def _mean(arrays: list[np.ndarray]) -> np.ndarray:
    total = arrays[0].copy()
    for array in arrays[1:]:
        total += array
    return total / np.float32(len(arrays))
