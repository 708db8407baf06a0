"""The best cells of a search trained in full at several sizes, as the papers' tables have them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from nasnet_keras.classification.recipes import get_recipe
from nasnet_keras.genotypes import NetworkGenotype
from nasnet_keras.models.complexity import count_multiply_adds
from nasnet_keras.models.config import NetworkConfig
from nasnet_keras.models.presets import PRESETS, get_preset
from nasnet_keras.search.children.rerank import RerankChild, retrain
from nasnet_keras.search.engine.run_directory import RunDirectory
from nasnet_keras.search.engine.search_state import SearchState
from nasnet_keras.search.executors.executor import Executor
from nasnet_keras.search.report.final_report import TableRow
from nasnet_keras.search.report.history import History, read_history, read_reranked
from nasnet_keras.search.spaces.space import Architecture

_FOLDER = "final"
_IMAGENET = ("imagenet", "imagenet2012")


@dataclass(frozen=True)
class FinalChild(RerankChild):
    """A child trained with a full recipe on all training images and scored on the test images.

    A recipe for an ImageNet network puts the cells into that.
    """

    def _check_recipe(self) -> None:
        get_recipe(self.recipe_name)

    @property
    def _imagenet_network(self) -> str | None:
        name = get_recipe(self.recipe_name).model_name
        return name if get_preset(name).is_imagenet else None

    def _model_name(self, genotype: NetworkGenotype) -> str:
        return self._imagenet_network or super()._model_name(genotype)

    def _of_dataset(self) -> dict[str, Any]:
        return {}

    def _values(self) -> dict[str, Any]:
        # Stems of ImageNet networks do not grow with the cells.
        return dict(self.overrides) if self._imagenet_network else super()._values()


class Size(NamedTuple):
    """A size of networks; `None`: the recipe's.

    Attributes:
        num_cells: Normal cells.
        filters: Filters of the first cells.
    """

    num_cells: int | None = None
    filters: int | None = None

    @property
    def overrides(self) -> dict[str, int]:
        """What it changes of a recipe."""
        return {name: value for name, value in self._asdict().items() if value is not None}

    @property
    def text(self) -> str:
        """The size in words."""
        return ", ".join(f"{k}={v}" for k, v in self.overrides.items()) or "the recipe's size"


def final_directory(run_dir: RunDirectory, size: Size) -> RunDirectory:
    """Returns the directory, within that of a search, of its best cells in one size."""
    name = "-".join(f"{key}-{value}" for key, value in size.overrides.items()) or "recipe"
    return RunDirectory(run_dir.path / _FOLDER / name)


def best_architectures(run_dir: RunDirectory, history: History, count: int) -> list[Architecture]:
    """Returns the architectures that the table is about, best first.

    Those that were trained at some size stay; then come those that `rerank` found best, then those
    of the search.

    Raises:
        JournalError: A journal is damaged.
        OSError: A file cannot be read.
        ValueError: No child has a reward, or `count` is below 1.
    """
    found = [each.architecture for each in history.best(len(history.trained) or count)]
    reranked = [history.proposals[each.number] for each in read_reranked(run_dir, history)]
    sizes = sorted((run_dir.path / _FOLDER).glob("*/config.json"))
    chosen = [read_history(RunDirectory(path.parent)).proposals for path in sizes]
    # The lists of all sizes begin alike.
    longest = max(chosen, key=len, default=[])
    return list(dict.fromkeys([*longest, *reranked, *found]))[:count]


def train_size(
    run_dir: RunDirectory,
    size: Size,
    architectures: Iterable[Architecture],
    child: FinalChild,
    executor: Executor,
    say: Callable[[str], None] = print,
    report: Callable[[SearchState], None] | None = None,
) -> list[TableRow]:
    """Trains cells in one size; journaled, and resumed by the same call.

    Args:
        run_dir: The search.
        size: Their size, whose overrides `child` has.
        architectures: The cells.
        child: How they are trained.
        executor: Where they are trained; closed at the end.
        say: Called with lines for the user.
        report: Called with the state about once a second.

    Returns:
        A row for each of the networks in this size, in the order of `architectures`.

    Raises:
        JournalError: A journal is damaged.
        OSError: A file cannot be read or written.
        SearchFailed: Too many children failed.
        ValueError: An earlier call's settings differ.
    """
    history, directory = read_history(run_dir), final_directory(run_dir, size)
    retrain(directory, history, architectures, child, executor, say, report)
    again = read_history(directory)
    numbers = {architecture: i for i, architecture in enumerate(history.proposals)}
    rows = []
    for trained in sorted(again.trained, key=lambda each: each.number):
        genotype = again.genotype(trained.number)
        network = child.network(genotype)
        is_cells = isinstance(network, NetworkConfig)
        rows.append(
            TableRow(
                network=genotype.name,
                source=f"child {numbers[trained.architecture]}",
                num_cells=network.num_cells if is_cells else None,
                filters=network.filters if is_cells else None,
                parameters=trained.values["parameters"],
                multiply_adds=trained.values["multiply_adds"],
                accuracy=trained.accuracy,
                latency_ms=trained.values.get("latency_ms"),
                peak_bytes=trained.values.get("peak_bytes"),
            )
        )
    return rows


def published_rows(dataset_name: str) -> list[TableRow]:
    """Returns the published networks of CIFAR-10 or ImageNet; none for any other dataset.

    Accuracies and parameters are the papers', and ImageNet networks' multiply-adds; for CIFAR-10
    they give none, which are counted.
    """
    rows = []
    for name, preset in PRESETS.items():
        published, network = preset.published, preset.config
        error = published.cifar10_error
        top1 = published.top1 if dataset_name in _IMAGENET else None
        if dataset_name == "cifar10" and error is not None:
            top1 = 100 - error
        if top1 is None:
            continue
        if published.multiply_adds:
            multiply_adds = round(1e6 * published.multiply_adds)
        else:
            size = (preset.image_size, preset.image_size, 3)
            multiply_adds = count_multiply_adds(network, size, preset.classes)
        is_cells = isinstance(network, NetworkConfig)
        rows.append(
            TableRow(
                network=name,
                source=published.source,
                num_cells=network.num_cells if is_cells else None,
                filters=network.filters if is_cells else None,
                parameters=round(1e6 * (published.parameters or 0)),
                multiply_adds=multiply_adds,
                accuracy=round(top1 / 100, 4),
            )
        )
    return rows
