"""The best cells of a search at several sizes."""

from pathlib import Path

import pytest

import nasnet_keras as nk
from nasnet_keras.search.children.final import (
    FinalChild,
    Size,
    best_architectures,
    published_rows,
    train_size,
)
from nasnet_keras.search.children.rerank import RerankChild, rerank
from nasnet_keras.search.engine.run_directory import RunDirectory
from nasnet_keras.search.executors.executor import Job
from nasnet_keras.search.executors.simulated_executor import SimulatedExecutor
from nasnet_keras.search.report.history import read_history
from tests.search.journals import made_up_search
from tests.search.quick_children import quick

SMALL, LARGE = Size(2, 4), Size(4, 8)


def child_of(size: Size) -> FinalChild:
    return FinalChild("digits", overrides=size.overrides, recipe_name="digits")


def test_all_training_images_are_trained_on_and_the_test_images_scored() -> None:
    recipe = child_of(LARGE).recipe(3)
    assert (recipe.dataset_split_name, recipe.evaluation_split_name) == ("train", "test")
    assert (recipe.num_cells, recipe.filters, recipe.stem_filters) == (4, 8, 24)
    assert recipe.epochs == 15 and recipe.train_image_size == 16


def test_cells_once_chosen_are_trained_at_every_size_and_once(tmp_path: Path) -> None:
    made_up_search(tmp_path, 8)
    run_dir = RunDirectory(tmp_path)
    history = read_history(run_dir)
    trained: list[tuple[Size, Path]] = []

    def table(size: Size, count: int, cut_after: int = 99) -> list[tuple]:
        def train(job: Job) -> dict:
            if len(trained) == cut_after:
                raise KeyboardInterrupt
            trained.append((size, job.directory))
            return {**child.costs(job.description), "reward": 0.1 + len(trained) / 100}

        child = child_of(size)
        chosen = best_architectures(run_dir, history, count)
        executor = SimulatedExecutor(train, lambda job: 1.0, 1)
        rows = train_size(run_dir, size, chosen, child, executor, lambda line: None)
        for row in rows:
            number = int(row.source.removeprefix("child "))
            costs = child.costs(history.genotype(number))
            assert (row.num_cells, row.filters) == size
            assert {"parameters": row.parameters, "multiply_adds": row.multiply_adds} == costs
        return [(row.source, row.accuracy) for row in rows]

    ranked = [f"child {each.number}" for each in history.ranked]
    with pytest.raises(KeyboardInterrupt):
        table(SMALL, 3, cut_after=1)
    # What rerank finds now comes after those that were chosen before.
    rerank(
        run_dir,
        8,
        RerankChild("digits"),
        SimulatedExecutor(quick, lambda job: 1.0, 1),
        lambda line: None,
    )
    small = table(SMALL, 3)
    assert [name for name, _ in small] == ranked[:3]
    large = table(LARGE, 4)
    assert [name for name, _ in large[:3]] == ranked[:3] and large[3][0] in ranked[3:]
    assert table(SMALL, 4) == [*small, (large[3][0], pytest.approx(0.18))]
    assert table(LARGE, 1) == large
    assert len(trained) == len(set(trained)) == 8


def test_what_rerank_found_is_taken_first(tmp_path: Path) -> None:
    made_up_search(tmp_path, 6)
    run_dir = RunDirectory(tmp_path)
    best = rerank(
        run_dir,
        3,
        RerankChild("digits"),
        SimulatedExecutor(quick, lambda job: 1.0, 1),
        lambda line: None,
    )
    history = read_history(run_dir)
    expected = [history.proposals[each.number] for each in best]
    rest = [each.architecture for each in history.ranked if each.architecture not in expected]
    assert best_architectures(run_dir, history, 5) == [*expected, *rest[:2]]


def test_published_networks_stand_beside_their_own_dataset_only() -> None:
    cifar, imagenet = (
        {row.network: row for row in published_rows(name)} for name in ("cifar10", "imagenet2012")
    )
    row = cifar["nasnet_cifar"]
    assert (row.accuracy, row.parameters) == (0.9659, 3_300_000)
    assert row.source == "Zoph et al. 2018, table 1"
    # As in docs/results.md.
    assert round(row.multiply_adds / 1e6, 1) == 544.3
    assert cifar["nas_v1"].num_cells is None
    row = imagenet["nasnet_large"]
    assert (row.accuracy, row.parameters) == (0.827, 88_900_000)
    assert row.multiply_adds == 23_800_000_000
    assert not set(cifar) & set(imagenet) and published_rows("digits") == []


def test_a_recipe_for_imagenet_puts_the_cells_into_its_network(tmp_path: Path) -> None:
    for name in map(str, range(1000)):
        (tmp_path / "train" / name).mkdir(parents=True)
        (tmp_path / "train" / name / "a.png").touch()
    sizes = Size(12, 44).overrides
    child = FinalChild(
        "image_folder", str(tmp_path), sizes, 0, recipe_name="nasnet_mobile_imagenet"
    )
    # The published network's.
    costs = child.costs(nk.get_genotype("nasnet_a"))
    assert round(costs["multiply_adds"] / 1e6, 1) == 563.6
    recipe = child.recipe(0)
    assert (recipe.evaluation_split_name, recipe.stem_filters) == ("validation", None)
    with pytest.raises(ValueError, match="is for ImageNet networks"):
        RerankChild("digits", recipe_name="nasnet_mobile_imagenet")
