"""Children on Ray."""

import pytest

from nasnet_keras.search.ray_executor import RayExecutor
from tests.search.children import quick
from tests.search.driver import killed_search

pytest.importorskip("ray")


def test_a_search_on_ray_killed_again_and_again_is_as_if_left_alone() -> None:
    counts = killed_search("ray", kills=2, children=6, workers=2)
    assert sum(counts["kills"].values()) == 2
    assert counts["events"]["result"] == 6


def test_impossible_shares_are_refused_before_ray_starts() -> None:
    with pytest.raises(ValueError, match="a part of one accelerator or whole ones, got 1.5"):
        RayExecutor(quick, 1, gpus=1.5)
    with pytest.raises(ValueError, match="0 cores and accelerators or more"):
        RayExecutor(quick, 1, cpus=-1)
