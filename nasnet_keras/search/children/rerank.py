"""Retrains the best children of a search, longer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from nasnet_keras.classification.recipes import get_recipe
from nasnet_keras.models.presets import get_preset
from nasnet_keras.search.children.child import ClassifierChild
from nasnet_keras.search.engine.experiment import Experiment
from nasnet_keras.search.engine.run_directory import RunDirectory
from nasnet_keras.search.engine.search_state import SearchState
from nasnet_keras.search.executors.executor import Executor, Job
from nasnet_keras.search.report.history import (
    History,
    Reranked,
    read_history,
    read_reranked,
    rerank_directory,
)
from nasnet_keras.search.spaces.space import Architecture
from nasnet_keras.search.strategies.listed import Listed


@dataclass(frozen=True)
class RerankChild(ClassifierChild):
    """A child trained with a full recipe and scored on the search's held-out images.

    The trained network stays in the child's directory, under `training`.

    Args:
        recipe_name: A recipe for CIFAR networks, e.g. `"nasnet_cifar"`; its network, dataset and
            splits are replaced.

    Raises:
        ValueError: As for `ClassifierChild`; or the recipe is unknown, or for ImageNet networks.
    """

    recipe_name: str = "nasnet_cifar"

    def __post_init__(self) -> None:
        self._check_recipe()
        super().__post_init__()

    def _check_recipe(self) -> None:
        recipe = get_recipe(self.recipe_name)
        if get_preset(recipe.model_name).is_imagenet:
            raise ValueError(
                f"recipe {self.recipe_name!r} is for ImageNet networks, children are CIFAR "
                "networks: use e.g. recipe 'nasnet_cifar'"
            )

    def _end_training(self, job: Job) -> None:
        """Keeps the trained network."""

    def _of_dataset(self) -> dict[str, Any]:
        values = super()._of_dataset()
        return {name: values[name] for name in ("dataset_split_name", "evaluation_split_name")}


def rerank(
    run_dir: RunDirectory,
    count: int,
    child: RerankChild,
    executor: Executor,
    say: Callable[[str], None] = print,
    report: Callable[[SearchState], None] | None = None,
) -> list[Reranked]:
    """Retrains the best children of a search with a full recipe.

    This is a search of a list, in the directory `rerank`: journaled, resumed by the same call, each
    child trained once. Children once chosen stay chosen, whatever the search finds later; with a
    larger `count`, the best of the others join them.

    Args:
        run_dir: The search.
        count: How many children, including those of earlier calls.
        child: How they are trained.
        executor: Where they are trained; closed at the end.
        say: Called with lines for the user.
        report: Called with the state about once a second.

    Returns:
        All retrained children, best first.

    Raises:
        JournalError: A journal is damaged.
        OSError: A file cannot be read or written.
        SearchFailed: Too many children failed.
        ValueError: No child has a reward, `count` is below 1, or an earlier call's
            settings differ.
    """
    history = read_history(run_dir)
    ranked = [each.architecture for each in history.best(count)]
    child.network(history.genotype(history.best(1)[0].number))
    directory = rerank_directory(run_dir)
    retrain(directory, history, ranked, child, executor, say, report)
    return read_reranked(run_dir, history)


def retrain(
    directory: RunDirectory,
    history: History,
    architectures: Iterable[Architecture],
    child: ClassifierChild,
    executor: Executor,
    say: Callable[[str], None] = print,
    report: Callable[[SearchState], None] | None = None,
    seed: int | None = None,
) -> None:
    """Trains children of a search again, in a directory of their own.

    Args:
        directory: The directory.
        history: The search.
        architectures: Which children, in order. Those of earlier calls come first, and none of them
            is left out; of these, the first follow until there are as many as given here.
        child: How they are trained.
        executor: Where they are trained; closed at the end.
        say: Called with lines for the user.
        report: Called with the state about once a second.
        seed: Seed of the children. Default: the search's.

    Raises:
        JournalError: The directory's journal is damaged.
        OSError: A file cannot be read or written.
        SearchFailed: Too many children failed.
        ValueError: An earlier call's settings differ.
    """
    listed = list(architectures)
    earlier = read_history(directory).proposals if directory.config.exists() else []
    # All of them, even where fewer are asked for now: the journal contains them.
    count = max(len(listed), len(earlier))
    listed = [*earlier, *(each for each in listed if each not in earlier)][:count]
    strategy = Listed(history.space, listed, history.config.seed if seed is None else seed)
    experiment = Experiment(directory, strategy, child.config(), say=say)
    experiment.run(executor, len(listed), report)
