"""A directory holds one search, which one driver runs."""

import json
import os
from pathlib import Path

import pytest

from nasnet_keras.files.directory_lock import locked
from nasnet_keras.search.engine.limits import Limits
from nasnet_keras.search.engine.run_directory import RunDirectory
from tests.search.experiments import PNAS, Workers, experiment
from tests.search.journals import made_up_search


def test_another_search_is_refused_with_the_difference(tmp_path: Path) -> None:
    experiment(tmp_path).run(Workers(), 3)
    with pytest.raises(ValueError, match="strategy.name was 'evolution', now 'random'"):
        experiment(tmp_path, "random")
    with pytest.raises(ValueError, match=r"limits.max_parameters was None, now 5"):
        experiment(tmp_path, limits=Limits(5), costs=lambda choice: {"parameters": 1})
    with pytest.raises(ValueError, match="space.space was 'table', now 'pnas'"):
        experiment(tmp_path, space=PNAS)


def test_two_drivers_at_once_are_refused(tmp_path: Path) -> None:
    with locked(tmp_path):
        with pytest.raises(ValueError, match=f"is being written by process {os.getpid()} "):
            experiment(tmp_path).run(Workers(), 3)


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"strategy": None}, "strategy is a table of values, got None"),
        ({"strategy": {}}, "strategy.name is a text, got None"),
        ({"space": "pnas"}, "space is a table of values, got 'pnas'"),
        ({"seed": True}, "seed is a whole number, got True"),
        ({"child": []}, "child is a table of values, got ()"),
        ({"limits": None}, "limits is a table of values, got None"),
    ],
)
def test_a_directory_of_something_else_is_not_a_search(
    change: dict, missing: str, tmp_path: Path
) -> None:
    made_up_search(tmp_path, 1)
    config = RunDirectory(tmp_path).read_config().to_dict()
    (tmp_path / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(ValueError) as error:
        RunDirectory(tmp_path).read_config()
    path = tmp_path / "config.json"
    assert str(error.value) == f"{path} is not the configuration of a search: {missing}"
