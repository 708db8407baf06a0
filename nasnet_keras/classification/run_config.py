"""What a classifier's run is: its `config.json`."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from nasnet_keras.classification.recipe import Recipe
from nasnet_keras.data.streams.pipeline import ReadBy
from nasnet_keras.settings import Count, Settings


@dataclass(frozen=True)
class RunConfig(Settings):
    """The `config.json` of a classifier's run.

    Attributes:
        recipe: The recipe as run, with the cells themselves.
        class_names: Names of the classes, in the order of the labels.
        replicas: Replicas of the run, whose images together make a step.
        images: Images trained on, as far as known.
        read_by: What reads them while the network trains, see `ReadBy`; `None` for a dataset in
            memory. Earlier versions did not say: it was TensorFlow.
    """

    called = "the configuration of a classifier's run"

    recipe: Recipe
    class_names: tuple[str, ...]
    replicas: Count = 1
    images: Count | None = None
    read_by: ReadBy | None = None

    def differences_of_run(self, before: RunConfig) -> list[str]:
        """Returns what keeps a run from going on as this one, as `Settings.differences` says it."""
        theirs = before.recipe
        if isinstance(theirs.genotype, str):
            # Earlier versions kept the name of the file only. Where it has moved since, what it
            # held is not known, and the cells are taken to be the same.
            try:
                theirs = theirs.with_cells()
            except OSError:
                theirs = dataclasses.replace(theirs, genotype=self.recipe.genotype)
        found = self.recipe.differences(theirs)
        if self.replicas != before.replicas:
            found.append(f"replicas were {before.replicas}, now {self.replicas}")
        return found
