"""Nodes in rows: few edges cross, and those that must are counted."""

import numpy as np
import pytest

from nasnet_keras.visualization.layered_layout import place_in_rows


def test_edges_that_need_not_cross_do_not() -> None:
    # A ladder whose rows are given in the wrong order, with an edge that passes a row.
    rows = [["a", "b", "c"], ["z", "y", "x"], ["r", "q", "p"]]
    edges = [("a", "x"), ("b", "y"), ("c", "z"), ("x", "p"), ("y", "q"), ("z", "r"), ("a", "p")]
    layout = place_in_rows(rows, edges, dict.fromkeys("abcxyzpqr", 10.0), gap=5.0)
    assert layout.crossings == 0
    assert len(layout.passes[("a", "p")]) == 1
    for row in rows:
        places = sorted(layout.centers[name] for name in row)
        assert np.diff(places).min() >= 15.0 - 1e-6
    with pytest.raises(ValueError, match="from 'x' to 'a' does not go up"):
        place_in_rows(rows, [("x", "a")], dict.fromkeys("abcxyzpqr", 10.0), gap=5.0)


def test_crossings_that_must_be_are_counted() -> None:
    # Three of three: of the complete bipartite graph, no order has fewer than nine.
    edges = [(a, b) for a in "abc" for b in "xyz"]
    layout = place_in_rows([list("abc"), list("xyz")], edges, dict.fromkeys("abcxyz", 1.0), 1.0)
    assert layout.crossings == 9
