"""Every operation against plain NumPy, at stride 1 and 2, on even and odd sizes."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from nasnet_keras.genotypes import NASNET_OPERATIONS, OPERATIONS, OperationSpec
from nasnet_keras.layers import make_operation
from tests import reference
from tests.layer_checks import check_layer, images, randomize

EPSILON = 1e-3


def weights_of(layer: keras.layers.Layer) -> dict[str, np.ndarray]:
    """Values by path below the layer's own scope."""
    arrays = {v.path: keras.ops.convert_to_numpy(v.value) for v in layer.weights}
    return {path.partition("/")[2]: array for path, array in arrays.items()}


def expected(
    name: str, x: np.ndarray, filters: int, stride: int, w: dict[str, np.ndarray]
) -> np.ndarray:
    """Computes an operation as the papers and slim state it."""
    spec = OPERATIONS[name]
    n = spec.kernel

    def bn(y: np.ndarray, scope: str) -> np.ndarray:
        return reference.batch_norm(y, w, scope, EPSILON)

    if spec.kind == "identity":
        if stride == 1 and x.shape[-1] == filters:
            return x
        return bn(reference.convolve(reference.relu(x), w["1x1/kernel"], (stride, stride)), "bn_1")
    if spec.kind.endswith("pool"):
        reduce = {"avg": np.nanmean, "max": np.nanmax, "min": np.nanmin}[spec.kind[:3]]
        y = reference.pool(x, n, stride, reduce)
        if x.shape[-1] == filters:
            return y
        return bn(reference.convolve(y, w["1x1/kernel"]), "bn_1")
    if spec.kind == "separable":
        y = x
        for k in range(1, spec.repeats + 1):
            # Strided and dilated at once is every second pixel of the dilated one.
            direct = stride if k == 1 and spec.dilation == 1 else 1
            scope = f"separable_{n}x{n}_{k}"
            y = reference.depthwise(
                reference.relu(y), w[f"{scope}/depthwise_kernel"], direct, spec.dilation
            )
            y = bn(reference.convolve(y, w[f"{scope}/pointwise_kernel"]), f"bn_sep_{n}x{n}_{k}")
            if k == 1 and spec.dilation > 1:
                y = y[:, ::stride, ::stride]
        return y
    if spec.kind == "factorized":
        y = reference.convolve(reference.relu(x), w[f"1x{n}/kernel"], (1, stride))
        y = bn(y, f"bn_1x{n}_{n}x1")
        return bn(reference.convolve(reference.relu(y), w[f"{n}x1/kernel"], (stride, 1)), "bn")
    if spec.dilation > 1:
        y = reference.convolve(reference.relu(x), w["dilated_3x3/kernel"], (1, 1), spec.dilation)
        return bn(y, "bn")[:, ::stride, ::stride]
    y = reference.convolve(reference.relu(x), w[f"{n}x{n}/kernel"], (stride, stride))
    return bn(y, "bn_1" if n == 1 else "bn")


@pytest.mark.parametrize("name", OPERATIONS)
def test_operation_computes_what_the_papers_say(name: str) -> None:
    for stride, channels, size in ((1, 4, 7), (2, 4, 8), (2, 3, 7), (1, 3, 6)):
        x = images((2, size, size + 1, channels))
        layer = make_operation(name, 4, stride, name="op")
        layer(x)
        randomize(layer)
        result = keras.ops.convert_to_numpy(layer(x, training=False))
        wanted = expected(name, x, 4, stride, weights_of(layer))
        np.testing.assert_allclose(result, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", OPERATIONS)
def test_operation_keeps_every_promise_of_a_layer(name: str, tmp_path: Path) -> None:
    check_layer(lambda: make_operation(name, 4, 2), [images((2, 6, 7, 3))], tmp_path)


@pytest.mark.parametrize("name", ["conv_3x3", "conv_1x3_3x1", "conv_1x7_7x1", "dilated_3x3"])
def test_bottleneck_narrows_before_and_widens_after(name: str, tmp_path: Path) -> None:
    layer = make_operation(name, 8, 1, bottleneck=True, name="op")
    layer.build((None, 8, 8, 5))
    shapes = {v.path.removeprefix("op/"): tuple(v.shape) for v in layer.weights}
    width = 3 if name == "conv_1x3_3x1" else 2
    assert shapes["pre_1x1/kernel"] == (1, 1, 5, width)
    assert shapes["post_1x1/kernel"] == (1, 1, width, 8)
    assert all(f"{bn}/gamma" in shapes for bn in ("pre_bn", "bn", "post_bn"))
    check_layer(
        lambda: make_operation(name, 8, 2, bottleneck=True), [images((2, 6, 7, 3))], tmp_path
    )


def test_bottleneck_is_left_out_where_nothing_would_be_left_of_it() -> None:
    layer = make_operation("conv_3x3", 3, bottleneck=True, name="op")
    layer.build((None, 8, 8, 5))
    assert {v.path.split("/")[1] for v in layer.weights} == {"3x3", "bn"}


@pytest.mark.parametrize("name", NASNET_OPERATIONS)
def test_bounded_activation_caps_what_goes_in_and_out(name: str) -> None:
    x = 100 * images((2, 6, 6, 4))
    for stride in (1, 2):
        layer = make_operation(name, 4, stride, bounded_activation=True)
        layer(x)
        randomize(layer)
        result = keras.ops.convert_to_numpy(layer(x))
        capped = keras.ops.convert_to_numpy(layer(np.clip(x, 0, 6)))
        np.testing.assert_allclose(result, capped)
        assert np.abs(result).max() <= 6


def test_unknown_operation_suggests_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'separable_5x5'"):
        make_operation("seperable_5x5", 4)


def test_a_kind_that_no_layer_computes_is_refused(monkeypatch) -> None:
    monkeypatch.setitem(OPERATIONS, "dense_3x3", OperationSpec("dense", 3))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'dense_3x3': no layer computes its kind, 'dense'"):
        make_operation("dense_3x3", 4)
