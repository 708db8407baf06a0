"""What a search found: its children by rank, and their cells."""

from pathlib import Path

import pytest

import nasnet_keras as nk
from nasnet_keras.search import get_space
from nasnet_keras.search.engine.journal import Journal, read_journal
from nasnet_keras.search.engine.run_directory import RunDirectory
from nasnet_keras.search.report.history import read_history
from tests.search.journals import made_up_search


def test_an_exported_cell_builds_the_network(tmp_path: Path) -> None:
    children = made_up_search(tmp_path / "run", 6)
    history = read_history(RunDirectory(tmp_path / "run"))
    assert history.best(1)[0].number == max(range(6), key=lambda i: children[i][1])
    genotype = history.genotype(2)
    assert genotype == get_space("pnas", num_blocks=2).decode(children[2][0])
    genotype.save(tmp_path / "cell.json")
    loaded = nk.Genotype.load(tmp_path / "cell.json")
    assert loaded == genotype
    model = nk.create_model(
        "pnasnet_cifar", genotype=loaded, num_cells=2, filters=2, input_shape=(16, 16, 3)
    )
    config = nk.get_preset("pnasnet_cifar").config.replace(genotype=genotype)
    config = config.replace(num_cells=2, filters=2)
    assert model.count_params() == nk.count_parameters(config, classes=10)


def test_children_are_ranked_by_reward_and_equal_ones_as_proposed(tmp_path: Path) -> None:
    made_up_search(tmp_path, 0)
    run_dir = RunDirectory(tmp_path)
    *_, (_, place) = read_journal(run_dir.journal)
    with Journal(run_dir.journal, place) as journal:
        for number in range(4):
            journal.append("asked", number=number, architecture=[0] * 8, key=str(number))
            journal.append("started", number=number, attempt=0)
        for number, reward in ((2, 0.5), (0, 0.25), (3, 0.75), (1, 0.5)):
            journal.append("result", number=number, reward=reward, seconds=1.0, values={})
    history = read_history(run_dir)
    assert [child.number for child in history.trained] == [2, 0, 3, 1]
    assert [child.number for child in history.best(3)] == [3, 1, 2]
    assert history.state.best == history.best(1)[0]
    with pytest.raises(ValueError, match="got count=0"):
        history.best(0)
