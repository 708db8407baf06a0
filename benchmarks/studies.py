"""What the studies of the search share: surrogates by name, and means with their intervals."""

from __future__ import annotations

import numpy as np
from cells_csv import Cells
from scipy import stats

from nasnet_keras.search import LSTM, LSTM_ENSEMBLE, MLP, MLP_ENSEMBLE, SurrogateSettings

SURROGATES: dict[str, SurrogateSettings] = {
    "mlp": MLP,
    "lstm": LSTM,
    "mlp-ensemble": MLP_ENSEMBLE,
    "lstm-ensemble": LSTM_ENSEMBLE,
}


def interval(values: np.ndarray) -> dict[str, float]:
    """Returns the mean and the half width of its 95 % interval, in percent."""
    mean, half = band(values)
    return {"mean": float(mean), "half_width": float(half)}


def band(curves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the same over the first axis, for curves."""
    half = stats.t.ppf(0.975, len(curves) - 1) * stats.sem(curves, axis=0)
    return 100 * curves.mean(axis=0), 100 * half


def order_of_surrogate(name: str, cells: Cells, seed: int) -> np.ndarray:
    """Returns the rows of the cells of two blocks, of the highest predicted accuracy first."""
    from nasnet_keras.search.strategies.surrogate import Surrogate

    surrogate = Surrogate(2, SURROGATES[name], seed)
    surrogate.fit(*cells[1])
    return np.argsort(-surrogate.predict(cells[2][0]), kind="stable")
