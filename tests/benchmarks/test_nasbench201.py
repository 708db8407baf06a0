"""The benchmark of strategies: its table, its curves, and that evolution beats random search."""

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from nasnet_keras.search import Result, get_strategy


@pytest.fixture
def nasbench201() -> ModuleType:
    return importlib.import_module("nasbench201")


def test_table_is_read_whole(nasbench201: ModuleType, real_data: Path) -> None:
    space, validation, test = nasbench201.load_table(str(real_data / "nasbench201.csv"))
    assert space.count() == validation.size == test.size == 15625
    best = np.unravel_index(validation.argmax(), validation.shape)
    assert space.decode(best) == {
        "0->1": "nor_conv_3x3",
        "0->2": "nor_conv_3x3",
        "1->2": "nor_conv_3x3",
        "0->3": "skip_connect",
        "1->3": "nor_conv_1x1",
        "2->3": "nor_conv_3x3",
    }
    assert validation[best] == pytest.approx(0.84892) and test[best] == pytest.approx(0.8903)


def test_evolution_beats_random_search(nasbench201: ModuleType, real_data: Path) -> None:
    space, validation, _ = nasbench201.load_table(str(real_data / "nasbench201.csv"))
    means: dict[str, list[float]] = {"random": [], "evolution": []}
    for name, values in means.items():
        for seed in range(5):
            strategy = get_strategy(name, space, seed)
            seen: dict[tuple[int, ...], float] = {}
            while len(seen) < 250:
                proposals = strategy.ask(10)
                seen |= {p.architecture: float(validation[p.architecture]) for p in proposals}
                strategy.tell([Result(p.number, seen[p.architecture]) for p in proposals])
            values.append(float(np.mean(sorted(seen.values())[-25:])))
    assert min(means["evolution"]) > max(means["random"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cell,cifar10_valid_accuracy\n", "no column 'cifar10_test_accuracy'"),
        ("|conv~0|+|none~0|none~1|+|none~0|none~1|none~2|,1,2\n", "line 2: decision '0->1'"),
        ("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|,1,2\n", "31248 of 31250 values"),
    ],
)
def test_other_tables_are_refused(
    nasbench201: ModuleType, tmp_path: Path, text: str, message: str
) -> None:
    header = "cell,cifar10_valid_accuracy,cifar10_test_accuracy\n"
    path = tmp_path / "table.csv"
    path.write_text(text if text.startswith("cell") else header + text)
    with pytest.raises(ValueError) as error:
        nasbench201.load_table(str(path))
    assert str(path) in str(error.value) and message in str(error.value)
