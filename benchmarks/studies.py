"""What the studies of the search share: surrogates by name, intervals, and how much is chance."""

from __future__ import annotations

import itertools

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

# Of how many cells that one seed puts first it is asked what they are worth with another.
_BEST = 5


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


def noise(accuracies: np.ndarray) -> list[dict[str, object]]:
    """Returns what is chance in accuracies in percent, `(cells, seeds)`."""
    chance = accuracies.var(axis=1, ddof=1)
    total = accuracies.var(axis=0, ddof=1).mean()
    means = accuracies.mean(axis=1)
    better = chance[means >= np.median(means)]
    pairs = itertools.combinations(accuracies.T, 2)
    ranks = [stats.spearmanr(*pair).statistic for pair in pairs]
    best = accuracies[np.argsort(-accuracies[:, 0])[:_BEST]]
    values = {
        "deviation of a cell's accuracy from seed to seed (%)": chance.mean() ** 0.5,
        "the same of the better half (%)": better.mean() ** 0.5,
        "deviation of one accuracy from cell to cell (%)": total**0.5,
        "share of its variance that is the cells' own": 1 - chance.mean() / total,
        "rank correlation of two seeds": float(np.mean(ranks)),
        f"mean of the {_BEST} that the first seed puts first (%)": best[:, 0].mean(),
        "the same cells with the other seeds (%)": best[:, 1:].mean(),
    }
    return [{"": name, "value": float(value)} for name, value in values.items()]
