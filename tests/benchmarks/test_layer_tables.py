"""A table of every network of a layer-wise space, and a comparison of strategies on it."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from nasnet_keras.search import Space, get_space

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SMALL = {"num_layers": 2, "filter_sizes": [1, 3], "filters": [4]}
HEADER = '# settings: {"space": {"space": "layerwise", "num_layers": 2, "filter_sizes": [1, 3], '
HEADER += '"filters": [4]}}\nspace,architecture,accuracy\n'


def accuracy(space: Space, key: str) -> float:
    """Better with larger windows, and where the second layer reads the first."""
    values = np.array(list(map(int, key.split("."))))
    return round(0.3 + 0.1 * float(values.sum()), 6)


def table(space: Space) -> str:
    sizes = [range(len(decision.choices)) for decision in space.decisions]
    keys = sorted({space.key(a) for a in itertools.product(*sizes)})
    return HEADER + "".join(f"layerwise,{key},{accuracy(space, key)}\n" for key in keys)


def test_every_way_to_write_a_network_has_its_accuracy(tmp_path: Path) -> None:
    from lookup import read_known_space

    space = get_space("layerwise", **SMALL)
    (tmp_path / "layers.csv").write_text(table(space))
    known = read_known_space(tmp_path / "layers.csv")
    assert known.space.config() == space.config()
    assert known.tests is None and known.multiply_adds is None
    # The windows of both layers, their filters, and whether the second reads the first.
    assert set(known.canonical) == set(np.ndindex(2, 2, 1, 2, 2, 1, 2))
    for architecture, form in known.canonical.items():
        assert known.accuracies[form] == accuracy(space, space.key(architecture))
    assert known.canonical[1, 0, 0, 0, 0, 0, 0] == known.canonical[0, 0, 0, 1, 0, 0, 0]


def test_a_network_is_trained_once(tmp_path: Path) -> None:
    from lookup import read_known_space, search

    (tmp_path / "layers.csv").write_text(table(get_space("layerwise", **SMALL)))
    known = read_known_space(tmp_path / "layers.csv")
    space = known.space
    trained, proposals = search("random", known, 0, 25)
    assert len({space.key(architecture) for architecture in trained}) == len(trained)
    assert 20 <= len(trained) <= 25 <= proposals


def test_the_committed_table_is_whole() -> None:
    from space_csv import load_space

    known = load_space(BENCHMARKS / "digits_layers.csv")
    assert len(known.canonical) == known.space.count() == 512
    assert len(known.accuracies) == len(known.multiply_adds) == 392
    # Digits by chance, and by the best network.
    assert 0.05 < min(known.accuracies.values()) < 0.15 and max(known.accuracies.values()) > 0.7


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER + "layerwise,0.0.0.0.0.0.0,0.5\n", "25 of 26 networks are missing"),
        (HEADER + "layerwise,0.0.0.0.0.0.2,0.5\n", "line 3: decision 'layer_1/reads_layer_0'"),
        (HEADER + "layerwise,0.0.0.0.0.0.0,50\n", r"line 3: an accuracy is in \[0, 1\], got 50"),
        (HEADER.replace(",accuracy", ""), "no column 'accuracy'"),
        ("# note\nspace,architecture,accuracy\n", "one line with '# settings: ' is expected"),
    ],
)
def test_other_tables_are_refused(tmp_path: Path, text: str, message: str) -> None:
    from space_csv import load_space

    (tmp_path / "layers.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        load_space(tmp_path / "layers.csv")
