"""The children of a layer-wise search (Zoph and Le 2017, section 4.1)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasnet_keras.genotypes import LayerwiseGenotype, NetworkGenotype
from nasnet_keras.models.layerwise_plan import size_problem
from nasnet_keras.search.children.child import ClassifierChild
from nasnet_keras.search.spaces.layerwise_space import LayerwiseSpace
from nasnet_keras.search.spaces.space import Space
from nasnet_keras.training.log import LOG_NAME, read_log

if TYPE_CHECKING:
    from nasnet_keras.classification.evaluation import Evaluation

_LAST_EPOCHS = 5
# Which flags of children are for cells.
_OF_CELLS = ("num_cells", "filters", "stem_filters")


@dataclass(frozen=True)
class LayerwiseChild(ClassifierChild):
    """Trains a layer-wise network by the recipe `layerwise_child`.

    Its accuracy is the best on the held-out images after one of the last five epochs. (The
    strategy `reinforce` raises rewards to the third power, as in the paper.)

    Raises:
        ValueError: As for `ClassifierChild`; or a setting of cells is given.
    """

    recipe_name = "layerwise_child"
    evaluate_every_epochs = 1

    def __post_init__(self) -> None:
        for name in _OF_CELLS:
            if name in self.overrides:
                raise ValueError(
                    f"{name}={self.overrides[name]} is for cells; the networks of this search "
                    "consist of single layers"
                )
        super().__post_init__()

    def config(self) -> dict[str, Any]:
        return {**super().config(), "reward": f"best of the last {_LAST_EPOCHS} epochs"}

    def _of_dataset(self) -> dict[str, Any]:
        return {k: v for k, v in super()._of_dataset().items() if k not in _OF_CELLS}

    def _check_network(self, genotype: NetworkGenotype) -> None:
        # Whether strides leave enough pixels depends on the network.
        self.network(genotype)

    def _problem(self, genotype: NetworkGenotype) -> str:
        size = self.recipe(0).train_image_size
        assert isinstance(genotype, LayerwiseGenotype)
        return size_problem(genotype, (size, size))

    def _accuracy(self, directory: Path, evaluation: Evaluation) -> float:
        last = read_log(directory / LOG_NAME)[-_LAST_EPOCHS:]
        # An epoch's is not there where its evaluation was cut off by a kill.
        found = [record.get("evaluation_accuracy", 0.0) for record in last]
        return max(evaluation.accuracy, *found)


def child_kind(space: Space) -> type[ClassifierChild]:
    """Returns the class of the children of a space."""
    return LayerwiseChild if isinstance(space, LayerwiseSpace) else ClassifierChild
