"""The children of a search: their networks, costs, data and latency."""

from pathlib import Path

import pytest

import nasnet_keras as nk
from nasnet_keras.search import CategoricalSpace, get_space
from nasnet_keras.search.children.child import ClassifierChild
from nasnet_keras.search.children.layerwise_child import LayerwiseChild, child_kind
from nasnet_keras.search.children.rerank import RerankChild
from nasnet_keras.search.engine.limits import Limits
from nasnet_keras.search.engine.run_directory import RunDirectory, SearchConfig
from nasnet_keras.search.executors.executor import Job
from nasnet_keras.training.log import read_log


def test_costs_are_those_of_the_network_that_is_built() -> None:
    genotype = nk.get_genotype("nasnet_a")
    child = ClassifierChild("digits", overrides={"num_cells": 3, "filters": 8})
    model = nk.build_network(child.network(genotype), classes=10, input_shape=(8, 8, 3))
    assert child.costs(genotype)["parameters"] == model.count_params()
    assert child.recipe(5).stem_filters == 24 and child.recipe(5).seed == 5


def test_the_test_split_is_never_trained_or_judged_on() -> None:
    for dataset in ("digits", "cifar10", "cifar100", "tf_flowers"):
        recipe = ClassifierChild(dataset).recipe(0)
        assert recipe.dataset_split_name.startswith("train[:")
        start = recipe.dataset_split_name.removeprefix("train[:").removesuffix("]")
        assert recipe.evaluation_split_name == f"train[{start}:]"


def test_children_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="space 'mine' describes no networks that can be built"):
        ClassifierChild("digits").check(CategoricalSpace("mine", {"width": [16, 32]}))
    with pytest.raises(ValueError, match="filters=8 is for cells; the networks of this search"):
        LayerwiseChild("digits", overrides={"filters": 8})
    with pytest.raises(ValueError, match="needs latency_runs"):
        ClassifierChild("digits", latency_runs=0, limits=Limits(max_latency_ms=5))
    with pytest.raises(ValueError, match="did you mean 'epochs'"):
        ClassifierChild("digits", overrides={"epoch": 3})


def image_folder(root: Path, **images: int) -> Path:
    for name, count in images.items():
        (root / "train" / name).mkdir(parents=True)
        for number in range(count):
            (root / "train" / name / f"{number}.png").touch()
    return root


def test_other_images_are_another_search_and_the_same_elsewhere_are_not(tmp_path: Path) -> None:
    def config(name: str, **images: int) -> SearchConfig:
        directory = image_folder(tmp_path / name, **images)
        child = ClassifierChild("image_folder", str(directory)).config()
        space = {"space": "pnas", "num_blocks": 1}
        return SearchConfig(space, {"name": "random"}, 0, child, {})

    run_dir = RunDirectory(tmp_path / "run")
    run_dir.write_config(config("first", cat=10, dog=10))
    run_dir.check_config(config("moved", cat=10, dog=10))
    with pytest.raises(ValueError, match="child.data.training_images was 18, now 27"):
        run_dir.check_config(config("more", cat=10, dog=20))
    with pytest.raises(ValueError, match=r"search \(child.data.class_names_digest was"):
        run_dir.check_config(config("others", cat=10, owl=10))
    # Nothing is read for what the name says.
    assert "data" not in ClassifierChild("cifar10", "no/such/directory").config()


@pytest.mark.parametrize("kind", [ClassifierChild, RerankChild])
def test_how_latency_is_measured_tells_searches_apart(kind: type[ClassifierChild]) -> None:
    one, other = kind("digits").config(), kind("digits", latency_runs=9).config()
    assert {k for k in one if one[k] != other[k]} == {"latency_runs"}


def test_an_architecture_that_is_too_slow_is_not_trained(tmp_path: Path) -> None:
    child = ClassifierChild(
        "digits", overrides={"num_cells": 2, "filters": 2}, limits=Limits(max_latency_ms=1e-6)
    )
    space = get_space("pnas", num_blocks=1)
    values = child(Job(0, 0, "key", space.decode((0, 1, 0, 4)), 0, tmp_path))
    assert values["reward"] is None
    assert values["rejected"].startswith("max_latency_ms=1e-06 is below its ")
    assert not (tmp_path / "training").exists()


def test_layers_are_rewarded_for_the_best_of_their_last_five_epochs(tmp_path: Path) -> None:
    space = get_space("layerwise", num_layers=2, filters=[2, 3])
    child = child_kind(space)("digits", overrides={"epochs": 6}, latency_runs=0)
    child.check(space)
    assert child.recipe(1).nesterov and child.recipe(1).weight_decay == 1e-4
    genotype = space.decode((1, 1, 1, 0, 2, 0, 1))
    model = nk.build_network(child.network(genotype), 10, (8, 8, 3))
    assert child.costs(genotype)["parameters"] == model.count_params()
    values = child(Job(0, 0, "key", genotype, 0, tmp_path))
    scores = [epoch["evaluation_accuracy"] for epoch in read_log(tmp_path / "metrics.jsonl")]
    assert len(scores) == 6 and values["reward"] == max(scores[1:])
    assert nk.LayerwiseGenotype.load(tmp_path / "genotype.json") == genotype
    assert not (tmp_path / "training").exists()


def test_layers_whose_strides_leave_too_few_pixels_are_rejected(tmp_path: Path) -> None:
    space = get_space("layerwise", num_layers=3, strides=True)
    child = child_kind(space)("digits", limits=Limits(max_parameters=10**9))
    # Three strides of 3 in a chain.
    layer = [0, 0, 2, 2, 0]
    genotype = space.decode([*layer, *layer, 1, *layer, 0, 1])
    values = child(Job(0, 0, "key", genotype, 0, tmp_path))
    problem = "layer 2 has 1 of the 3 pixels in height of a stride"
    assert values == {"reward": None, "rejected": problem}
    with pytest.raises(ValueError, match=f"8x8 pixels is too small: {problem}"):
        child.costs(genotype)
