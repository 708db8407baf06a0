"""The numbers behind a report's charts."""

import numpy as np
import pytest

from nasnet_keras.search import CategoricalSpace, get_space
from nasnet_keras.search.engine.search_state import Trained
from nasnet_keras.search.report import charts as report_charts


def test_curves_are_means_of_the_best_so_far() -> None:
    rewards = [0.5, 0.2, 0.9, 0.1, 0.7]
    np.testing.assert_allclose(report_charts.top_means(rewards, 1), [0.5, 0.5, 0.9, 0.9, 0.9])
    np.testing.assert_allclose(
        report_charts.top_means(rewards, 3),
        [np.nan, np.nan, 1.6 / 3, 1.6 / 3, 2.1 / 3],
    )


def test_fractions_of_operations_are_counted_by_period() -> None:
    space = get_space("pnas", num_blocks=2)
    first, second = (0, 0, 3, 3), (0, 1, 3, 4, 0, 2, 5, 5)
    children = [Trained(i, a, 0.5, None, 1.0, {}) for i, a in enumerate((first, first, second))]
    ends, fractions = report_charts.operation_fractions(space, children, periods=2)
    assert ends == [2, 3]
    assert fractions["conv_1x7_7x1"].tolist() == [1.0, 0.25]
    assert fractions["avg_pool_3x3"].tolist() == [0.0, 0.5]
    assert sum(fractions.values()).tolist() == [1.0, 1.0]  # type: ignore[union-attr]
    table = CategoricalSpace("table", {"a": range(3)})
    assert report_charts.operation_fractions(table, children) == ([], {})


def test_rank_correlation_is_spearmans() -> None:
    assert report_charts.rank_correlation([1, 2, 3, 4], [1, 3, 2, 4]) == pytest.approx(0.8)
    assert report_charts.rank_correlation([1, 1, 1], [1, 2, 3]) is None
