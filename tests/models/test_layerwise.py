"""Layer-wise networks: their numbers, sizes, counts, files and endpoints."""

from pathlib import Path

import keras
import numpy as np
import pytest

import nasnet_keras as nk
from nasnet_keras.genotypes import ConvolutionLayer, LayerwiseGenotype, MaxPoolLayer
from nasnet_keras.models import LayerwiseConfig
from nasnet_keras.models.feature_sizes import smallest_input
from tests.layer_checks import randomize
from tests.layerwise_networks import MIXED, PLAIN


def built(genotype: LayerwiseGenotype, shape: tuple = (9, 7, 3), **settings) -> keras.Model:
    model = nk.build_network(LayerwiseConfig(genotype, **settings), 4, shape)
    randomize(model)
    return model


def images(height: int = 9, width: int = 7) -> np.ndarray:
    return np.random.default_rng(3).uniform(-1, 1, (2, height, width, 3)).astype("float32")


def answer(model: keras.Model, x: np.ndarray) -> np.ndarray:
    return keras.ops.convert_to_numpy(model(x, training=False))


# ---- The same in NumPy, written down from the paper's rules.


def same(x: np.ndarray, window: tuple, strides: tuple, fill: float) -> np.ndarray:
    """Returns `(batch, height, width, window height, window width, channels)` of a SAME window."""
    sides = [-(-n // s) for n, s in zip(x.shape[1:3], strides, strict=True)]
    totals = [
        max((m - 1) * s + k - n, 0)
        for m, s, k, n in zip(sides, strides, window, x.shape[1:3], strict=True)
    ]
    pads = [(0, 0), *((t // 2, t - t // 2) for t in totals), (0, 0)]
    x = np.pad(x, pads, constant_values=fill)
    rows = np.arange(sides[0])[:, None] * strides[0] + np.arange(window[0])
    columns = np.arange(sides[1])[:, None] * strides[1] + np.arange(window[1])
    return x[:, rows][:, :, :, columns].transpose(0, 1, 3, 2, 4, 5)


def joined(parts: list[np.ndarray]) -> np.ndarray:
    height, width = (max(part.shape[axis] for part in parts) for axis in (1, 2))
    padded = []
    for part in parts:
        totals = (height - part.shape[1], width - part.shape[2])
        padded.append(np.pad(part, [(0, 0), *((t // 2, t - t // 2) for t in totals), (0, 0)]))
    return np.concatenate(padded, -1)


def expected(model: keras.Model, genotype: LayerwiseGenotype, x: np.ndarray) -> np.ndarray:
    values = {v.path: keras.ops.convert_to_numpy(v).astype("float64") for v in model.weights}
    outputs: list[np.ndarray] = []
    for i, layer in enumerate(genotype.layers):
        read = joined([outputs[j] for j in layer.inputs]) if layer.inputs else x
        if isinstance(layer, MaxPoolLayer):
            windows = same(read, layer.window, layer.strides, -np.inf)
            outputs.append(windows.max((3, 4)))
            continue
        windows = same(read, layer.window, layer.strides, 0.0)
        y = np.einsum("bhwijc,ijcf->bhwf", windows, values[f"layer_{i}/conv/kernel"])
        norm = {name: values[f"layer_{i}/bn/{name}"] for name in ("gamma", "beta")}
        mean, variance = (values[f"layer_{i}/bn/moving_{name}"] for name in ("mean", "variance"))
        y = (y - mean) / np.sqrt(variance + 1e-5) * norm["gamma"] + norm["beta"]
        outputs.append(np.maximum(y, 0))
    pooled = joined([outputs[i] for i in genotype.outputs]).mean((1, 2))
    logits = pooled @ values["final_layer/FC/kernel"] + values["final_layer/FC/bias"]
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


@pytest.mark.parametrize("genotype", [MIXED, PLAIN], ids=lambda genotype: genotype.name)
@pytest.mark.parametrize("shape", [(9, 7, 3), (None, None, 3)], ids=["fixed", "any"])
def test_a_network_computes_what_its_layers_say(genotype: LayerwiseGenotype, shape: tuple) -> None:
    model = built(genotype, shape)
    np.testing.assert_allclose(
        answer(model, images()), expected(model, genotype, images()), atol=1e-5
    )


@pytest.mark.parametrize("genotype", [MIXED, PLAIN], ids=lambda genotype: genotype.name)
def test_counts_are_those_of_the_built_network(genotype: LayerwiseGenotype) -> None:
    for settings in ({}, {"additional_filters": 2}):
        config = LayerwiseConfig(genotype, **settings)
        model = nk.build_network(config, 4, (9, 7, 3))
        assert nk.count_parameters(config, 4) == model.count_params()
        trainable = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
        assert nk.count_parameters(config, 4, trainable_only=True) == trainable
        features = nk.build_network(config, include_top=False, input_shape=(9, 7, 3))
        assert nk.count_parameters(config, include_top=False) == features.count_params()
        multiply_adds = sum(
            int(np.prod(layer.conv.kernel.shape)) * int(np.prod(layer.output.shape[1:3]))
            for layer in model.layers
            if hasattr(layer, "conv")
        )
        dense = model.get_layer("final_layer").dense.kernel
        multiply_adds += int(np.prod(dense.shape))
        assert nk.count_multiply_adds(config, (9, 7, 3), 4) == multiply_adds


def test_a_saved_network_is_the_same_network(tmp_path: Path) -> None:
    model = built(MIXED, (None, None, 3))
    model.save(tmp_path / "model.keras")
    loaded = nk.load_model(tmp_path / "model.keras")
    assert isinstance(loaded, keras.Model)
    np.testing.assert_allclose(answer(loaded, images()), answer(model, images()), atol=1e-6)
    assert [v.path for v in loaded.weights] == [v.path for v in model.weights]
    layers = [f"Layer_{i}" for i in range(5)]
    assert list(nk.endpoints(loaded)) == [*layers, "global_pool", "Logits", "Predictions"]
    features = nk.feature_extractor(loaded, ["Layer_3"])
    assert features.output["Layer_3"].shape[-1] == 5


def test_a_prefix_is_before_every_name_and_end_points_do_not_see_it() -> None:
    config = LayerwiseConfig(MIXED)
    model = nk.build_network(config, 4, (9, 7, 3), name_prefix="first_")
    assert all(v.path.startswith("first_") for v in model.weights)
    assert next(iter(nk.endpoints(model))) == "Layer_0"


def test_what_cannot_be_built_is_refused() -> None:
    config = LayerwiseConfig(MIXED)
    with pytest.raises(ValueError, match="layer 0 has 1 of the 2 pixels in height of a stride"):
        nk.build_network(config, 4, (1, 9, 3))
    with pytest.raises(ValueError, match="layer 0 has 1 of the 2 pixels in height"):
        nk.count_multiply_adds(config, (1, 9, 3), 4)
    assert smallest_input(config) == 3
    stride = ConvolutionLayer(1, 1, 3, 3, 1)
    chain = (stride, *(ConvolutionLayer(1, 1, 3, 3, 1, (i,)) for i in range(19)))
    with pytest.raises(ValueError, match="layer 3 has 1 of the 3 pixels .*; none is enough"):
        nk.build_network(LayerwiseConfig(LayerwiseGenotype("deep", chain)), 4, (27, 27, 3))
    with pytest.raises(ValueError, match="auxiliary_head=True needs cells"):
        nk.build_network(config, 4, (9, 9, 3), auxiliary_head=True)
    with pytest.raises(ValueError, match="layer 0: filters is at most 8,192, got 9006"):
        LayerwiseConfig(MIXED, additional_filters=9_000)
    with pytest.raises(ValueError, match="genotype is LayerwiseGenotype, got"):
        LayerwiseConfig(nk.get_genotype("nasnet_a"))  # type: ignore[arg-type]
