"""All networks from one table: slim's end points, any input size, saving, layouts, precisions."""

from pathlib import Path

import keras
import numpy as np
import pytest

import nasnet_keras as nk
from nasnet_keras.models.feature_sizes import smallest_input
from nasnet_keras.models.plan import plan_network
from tests.layer_checks import randomize
from tests.networks_of_cells import cell_networks

# Sides and channels of slim's end points: Stem, stage 1, reduction, stage 2, reduction, stage 3.
ENDPOINTS = {
    "nasnet_cifar": [(32, 96), (32, 192), (16, 256), (16, 384), (8, 512), (8, 768)],
    "nasnet_mobile": [(28, 88), (28, 264), (14, 352), (14, 528), (7, 704), (7, 1056)],
    "nasnet_large": [(42, 336), (42, 1008), (21, 1344), (21, 2016), (11, 2688), (11, 4032)],
    "pnasnet_mobile": [(28, 135), (28, 270), None, (14, 540), None, (7, 1080)],
    "pnasnet_large": [(42, 540), (42, 1080), None, (21, 2160), None, (11, 4320)],
}


@pytest.mark.parametrize("name", ENDPOINTS)
def test_end_points_are_slims(name: str) -> None:
    model = nk.create_model(name, auxiliary_head=True)
    preset = nk.get_preset(name)
    stem, first, reduction_0, second, reduction_1, third = ENDPOINTS[name]
    stage = preset.config.num_cells // 3
    wanted: dict[str, tuple[int, ...]] = {"Stem": stem}
    for k in range(preset.config.num_cells):
        wanted[f"Cell_{k}"] = (first, second, third)[k // stage]
    for k, reduction in enumerate((reduction_0, reduction_1)):
        if reduction:
            wanted[f"Reduction_Cell_{k}"] = reduction
    points = nk.endpoints(model)
    shapes = {key: (tensor.shape[1], tensor.shape[-1]) for key, tensor in points.items()}
    features, classes = third[1], preset.classes
    wanted |= {"global_pool": (features, features)}
    wanted |= dict.fromkeys(("AuxLogits", "Logits", "Predictions"), (classes, classes))
    assert shapes == wanted


# Every preset's cells, narrow and short so that all of them are quick: the least that still has
# each kind of cell in each place.
SMALL = {"filters": 8, "stem_filters": 6, "num_cells": 3}


def small(name: str, **arguments: object) -> keras.Model:
    keras.utils.set_random_seed(1)
    model = nk.create_model(name, classes=5, **(SMALL | arguments))  # type: ignore[arg-type]
    randomize(model)
    return model


def images(size: tuple[int, int], count: int = 2) -> np.ndarray:
    return np.random.default_rng(5).uniform(-1, 1, (count, *size, 3)).astype("float32")


def run(model: keras.Model, x: np.ndarray, training: bool = False) -> np.ndarray:
    return keras.ops.convert_to_numpy(model(x, training=training))


# Without a graph compiler in between, each size of each operation is compiled by itself on JAX.
ON_TENSORFLOW = keras.backend.backend() == "tensorflow"
SIZES = [(192, 192), (224, 224), (299, 300), (331, 331), (600, 193)]


@pytest.mark.parametrize("name", cell_networks("*" if ON_TENSORFLOW else "*_mobile"))
def test_a_saved_network_is_the_same_network(name: str, tmp_path: Path) -> None:
    model = small(name, input_shape=(None, None, 3))
    x = images((45, 38))
    before = run(model, x)
    np.testing.assert_allclose(before.sum(-1), 1, atol=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(run(loaded, x), before, atol=1e-6)
    assert [v.path for v in loaded.weights] == [v.path for v in model.weights]
    assert list(nk.endpoints(loaded)) == list(nk.endpoints(model))


@pytest.mark.parametrize("name", ["nasnet_mobile", "pnasnet_mobile", "nasnet_b_mobile"])
def test_any_size_gives_what_a_fixed_size_gives(name: str) -> None:
    anywhere = small(name, input_shape=(None, None, 3), filters=8, stem_filters=3)
    for size in SIZES if ON_TENSORFLOW else SIZES[2:3]:
        fixed = small(name, input_shape=(*size, 3), filters=8, stem_filters=3)
        fixed.set_weights(anywhere.get_weights())
        x = images(size, 1)
        np.testing.assert_allclose(run(anywhere, x), run(fixed, x), atol=1e-5)


def test_the_full_mobile_network_takes_any_size() -> None:
    model = nk.NASNetMobile((None, None, 3), weights=None, include_top=False)
    assert model.count_params() == 4_269_716
    for size in (192, 224, 299, 300, 331, 600):
        shape = model.compute_output_shape((1, size, size, 3))
        assert shape == (1, *[-(-((size - 3) // 2 + 1) // 16)] * 2, 1056)
    assert run(model, images((193, 331), 1)).shape == (1, 6, 11, 1056)


@pytest.mark.parametrize("name", ["nasnet_cifar", "nasnet_mobile", "pnasnet_large"])
def test_too_small_an_input_is_refused_before_building(name: str) -> None:
    config = nk.get_preset(name).config.replace(**SMALL)
    for auxiliary_head in (False, True):
        least = smallest_input(config, auxiliary_head)
        nk.build_network(config, 5, (least, least, 3), auxiliary_head=auxiliary_head)
        with pytest.raises(ValueError, match=f"too small: .* the least is {least}x{least}"):
            nk.build_network(config, 5, (least - 1, least, 3), auxiliary_head=auxiliary_head)
    with pytest.raises(ValueError, match="auxiliary_head=True needs a fixed input size"):
        nk.build_network(config, 5, (None, None, 3), auxiliary_head=True)


@pytest.mark.parametrize("name", ["nasnet_cifar", "nasnet_c_mobile", "amoebanet_b_mobile"])
def test_half_precision_is_near_float32(name: str) -> None:
    model = small(name, input_shape=(64, 64, 3))
    x = images((64, 64))
    exact = run(model, x)
    for policy in ("mixed_bfloat16", "mixed_float16"):
        keras.config.set_dtype_policy(policy)
        try:
            half = small(name, input_shape=(64, 64, 3))
        finally:
            keras.config.set_dtype_policy("float32")
        half.set_weights(model.get_weights())
        result = half(x, training=False)
        assert keras.backend.standardize_dtype(result.dtype) == "float32"
        assert np.abs(keras.ops.convert_to_numpy(result) - exact).max() < 0.03


def test_what_a_loss_reads_is_float32_also_in_half_precision() -> None:
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = small("nasnet_cifar", input_shape=(32, 32, 3), auxiliary_head=True)
    finally:
        keras.config.set_dtype_policy("float32")
    outputs = model(images((32, 32)))
    dtypes = {name: keras.backend.standardize_dtype(x.dtype) for name, x in outputs.items()}
    assert dtypes == {"logits": "float32", "auxiliary_logits": "float32"}


@pytest.mark.skipif(keras.backend.backend() == "tensorflow", reason="TensorFlow has none on CPUs")
@pytest.mark.parametrize("name", ["nasnet_mobile", "pnasnet_mobile", "nasnet_b_mobile"])
def test_channels_first_gives_the_same_numbers(name: str) -> None:
    x = images((64, 64))
    model = small(name, input_shape=(64, 64, 3))
    keras.config.set_image_data_format("channels_first")
    try:
        turned = small(name, input_shape=(3, 64, 64))
        turned.set_weights(model.get_weights())
        result = run(turned, np.moveaxis(x, -1, 1))
    finally:
        keras.config.set_image_data_format("channels_last")
    np.testing.assert_allclose(result, run(model, x), atol=1e-5)


@pytest.mark.parametrize("version", ["v1", "v2", "v3"])
def test_drop_path_acts_in_training_only_and_counts_its_steps(version: str) -> None:
    settings = {
        "drop_path_keep_probability": 0.3,
        "drop_path_version": version,
        "drop_path_total_steps": 2,
    }
    plain = small("nasnet_cifar", input_shape=(16, 16, 3))
    model = small("nasnet_cifar", input_shape=(16, 16, 3), **settings)
    step = model.get_layer("drop_path_schedule").step
    x = images((16, 16), 8)
    weights = {v.path: v for v in plain.weights}
    for variable in model.weights:
        if variable.path in weights:
            variable.assign(weights[variable.path].value)
    np.testing.assert_allclose(run(model, x), run(plain, x), atol=1e-6)
    plain.trainable = model.trainable = False  # BN alike in both modes: only drop path differs.
    differs = [
        np.abs(run(model, x, training=True) - run(plain, x, training=True)).max() > 1e-4
        for _ in range(3)
    ]
    # v1 and v3 begin at keep probability 1.
    assert differs == [version == "v2", True, True]
    assert int(step.value) == 3


def test_drop_path_counts_cells_as_slim() -> None:
    totals = {name: plan_network(nk.get_preset(name).config).total_cells for name in ENDPOINTS}
    assert totals == {
        "nasnet_cifar": 20,
        "nasnet_mobile": 16,
        "nasnet_large": 22,
        "pnasnet_mobile": 11,
        "pnasnet_large": 14,
    }
    # Large skips the reduction's own input: the cell after it reads what the reduction read.
    large = {cell.name: cell for cell in plan_network(nk.get_preset("nasnet_large").config).cells}
    mobile = {cell.name: cell for cell in plan_network(nk.get_preset("nasnet_mobile").config).cells}
    assert large["cell_6"].previous == large["reduction_cell_0"].previous
    assert mobile["cell_4"].previous == mobile["reduction_cell_0"].current
    assert [large[f"cell_{k}"].number for k in (0, 5, 6)] == [2, 7, 9]


def test_freezing_batch_norm_freezes_all_of_it() -> None:
    # Logits: a softmax is saturated, and its gradient 0, while BN has no statistics yet.
    settings = SMALL | {"classifier_activation": None}
    model = nk.create_model("nasnet_mobile", classes=5, input_shape=(64, 64, 3), **settings)
    for layer in model.layers:
        layer.trainable = layer.name == "final_layer"
    # Copies: a view of a JAX array may be written to by the next step.
    before = {v.path: np.array(keras.ops.convert_to_numpy(v.value)) for v in model.weights}
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(images((64, 64), 4), np.arange(4), batch_size=2, verbose=0)
    changed = {
        v.path
        for v in model.weights
        if (keras.ops.convert_to_numpy(v.value) != before[v.path]).any()
    }
    assert changed == {"final_layer/FC/kernel", "final_layer/FC/bias"}


def test_fine_tuning_trains_every_variable() -> None:
    settings = SMALL | {"dropout": 0.5}
    model = nk.create_model("nasnet_mobile", classes=5, input_shape=(64, 64, 3), **settings)
    # Copies: a view of a JAX array may be written to by the next step.
    before = {v.path: np.array(keras.ops.convert_to_numpy(v.value)) for v in model.weights}
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    model.fit(images((64, 64), 8), np.arange(8) % 5, batch_size=8, epochs=2, verbose=0)
    same = [
        v.path
        for v in model.weights
        if (keras.ops.convert_to_numpy(v.value) == before[v.path]).all()
    ]
    assert same == []


def test_feature_extractor_shares_the_weights() -> None:
    model = small("nasnet_mobile", input_shape=(None, None, 3))
    features = nk.feature_extractor(model, ["Cell_0", "Reduction_Cell_1", "Predictions"])
    x = images((64, 80))
    outputs = features(x)
    assert list(outputs) == ["Cell_0", "Reduction_Cell_1", "Predictions"]
    assert outputs["Cell_0"].shape == (2, 8, 10, 48)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(outputs["Predictions"]), run(model, x), atol=1e-6
    )
    assert {id(v) for v in features.weights} <= {id(v) for v in model.weights}
    with pytest.raises(ValueError, match="did you mean 'Cell_1'"):
        nk.feature_extractor(model, ["cell_1"])
    with pytest.raises(ValueError, match="no cells"):
        nk.endpoints(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))


def test_own_genotypes_go_through_the_same_builder() -> None:
    text = nk.get_genotype("nasnet_a").renamed("mine").to_json()
    genotype = nk.Genotype.from_json(text)
    model = small("nasnet_cifar", input_shape=(16, 16, 3), genotype=genotype)
    reference = small("nasnet_cifar", input_shape=(16, 16, 3))
    reference.set_weights(model.get_weights())
    np.testing.assert_array_equal(run(model, images((16, 16))), run(reference, images((16, 16))))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nk.create_model("nasnet_moble"), "did you mean 'nasnet_mobile'"),
        (lambda: nk.create_model("nasnet_cifar", filter=3), "did you mean 'filters'"),
        (lambda: nk.create_model("nasnet_cifar", filters=0), "filters is a whole number of at"),
        (lambda: nk.create_model("nasnet_cifar", classes=0), "classes is a whole number"),
        (lambda: nk.create_model("nasnet_cifar", pooling="mean"), "unknown pooling 'mean'"),
        (lambda: nk.create_model("nasnet_cifar", reduction="cel"), "did you mean 'cell'"),
        (lambda: nk.create_model("nasnet_cifar", genotype="pnasnet_5"), "has no reduction cell"),
        (lambda: nk.create_model("nasnet_cifar", dropout=1.0), "dropout is a number in"),
        (
            lambda: nk.create_model("nasnet_cifar", drop_path_keep_probability=0.5),
            "needs drop_path_total_steps",
        ),
        (
            lambda: nk.create_model("nasnet_cifar", include_top=False, auxiliary_head=True),
            "needs include_top=True",
        ),
        (lambda: nk.create_model("nasnet_cifar", input_shape=(32, 32)), "input_shape is"),
        (lambda: nk.create_model("nasnet_cifar", input_shape=32), "input_shape is"),
        (lambda: nk.create_model("nasnet_cifar", input_shape=(32, 32, None)), "of channels"),
        (lambda: nk.create_model("nasnet_cifar", input_shape=(32, 32, 0)), "of channels"),
        (lambda: nk.create_model("nasnet_cifar", batch_norm_momentum=2.0), "batch_norm_momentum"),
        (lambda: nk.create_model("nasnet_cifar", batch_norm_epsilon=-1), "batch_norm_epsilon"),
        (lambda: nk.create_model("nasnet_b_mobile", weights="imagenet"), "of: nasnet_mobile"),
        (lambda: nk.PNASNetMobile(weights="timm"), "there are: imagenet, imagenet_slim"),
    ],
)
def test_bad_arguments_are_one_clear_line(call, message: str) -> None:
    with pytest.raises(ValueError) as error:
        call()
    assert message in str(error.value) and "\n" not in str(error.value)
