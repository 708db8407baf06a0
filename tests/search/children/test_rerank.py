"""The best children trained again."""

from pathlib import Path

import pytest

from nasnet_keras.search import get_space
from nasnet_keras.search.children.rerank import RerankChild, rerank
from nasnet_keras.search.engine.run_directory import RunDirectory
from nasnet_keras.search.executors.executor import Job
from nasnet_keras.search.executors.simulated_executor import SimulatedExecutor
from tests.search.journals import made_up_search
from tests.search.quick_children import quick


def test_those_chosen_once_stay_chosen_with_a_smaller_count(tmp_path: Path) -> None:
    made_up_search(tmp_path, 8)
    run_dir = RunDirectory(tmp_path)
    trained: list[int] = []

    def child(job) -> dict:
        if len(trained) == 2:
            raise KeyboardInterrupt
        trained.append(job.number)
        return quick(job)

    def again(count: int, function) -> int:
        executor = SimulatedExecutor(function, lambda job: 1.0, 1)
        return len(rerank(run_dir, count, RerankChild("digits", recipe_name="digits"), executor))

    with pytest.raises(KeyboardInterrupt):
        again(5, child)
    # Three were asked for when it was cut off.
    assert again(1, quick) == 3
    assert again(2, quick) == 3
    assert again(4, quick) == 4


def test_a_training_goes_on_in_a_directory_that_has_moved(tmp_path: Path) -> None:
    overrides = {"num_cells": 2, "filters": 2, "epochs": 1}
    child = RerankChild("digits", None, overrides, latency_runs=0, recipe_name="digits")
    genotype = get_space("pnas", num_blocks=1).decode((0, 1, 4, 4))
    (tmp_path / "before").mkdir()
    first = child(Job(0, 0, "key", genotype, 0, tmp_path / "before"))
    (tmp_path / "before").rename(tmp_path / "after")
    again = child(Job(0, 1, "key", genotype, 0, tmp_path / "after"))
    assert again["reward"] == first["reward"]
    assert len((tmp_path / "after" / "training" / "metrics.jsonl").read_text().splitlines()) == 1
