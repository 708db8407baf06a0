"""timm's files: every array in its place, timm's numbers, and nothing that could run a program."""

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import nasnet_keras as nk
from nasnet_keras.weights.slim_names import network_variables, variable_path
from nasnet_keras.weights.timm_weights import timm_name

GOLDEN = Path(__file__).parents[1] / "golden"
NETWORKS = {
    "nasnetalarge": ("nasnet_large", "nas_256", "timm"),
    "pnasnet5large": ("pnasnet_large", "pnas_256", "slim"),
}
DTYPES = {"float32": "F32", "float16": "F16", "float64": "F64", "int64": "I64"}
DTYPES["bfloat16"] = "BF16"


def golden_value(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Returns the golden weight of timm's tensor; the rule of `golden/README.md`."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    leaf = name.rsplit(".", 1)[-1]
    if leaf == "running_var":
        value = rng.uniform(0.5, 1.5, shape)
    elif leaf in ("bias", "running_mean"):
        value = rng.normal(0, 0.1, shape)
    elif len(shape) == 1:
        value = rng.uniform(0.5, 1.0, shape)
    else:
        value = rng.normal(0, (1 / np.prod(shape[1:])) ** 0.5, shape)
    return value.astype(np.float32)


def golden_tensors(network: str) -> dict[str, tuple[int, ...]]:
    tensors = json.loads((GOLDEN / "timm.json").read_text())[network]
    return {name: tuple(shape) for name, shape in tensors}


def write_safetensors(path: Path, values: Mapping[str, np.ndarray], **metadata: str) -> Path:
    header: dict[str, Any] = {"__metadata__": metadata}
    end = 0
    for name, value in values.items():
        begin, end = end, end + value.nbytes
        header[name] = {
            "dtype": DTYPES[value.dtype.name],
            "shape": value.shape,
            "data_offsets": [begin, end],
        }
    encoded = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(encoded).to_bytes(8, "little") + encoded)
        for value in values.values():
            file.write(value.tobytes())
    return path


def theirs(value: np.ndarray, path: str) -> np.ndarray:
    """Turns a kernel into PyTorch's layout."""
    if path.endswith("depthwise_kernel"):
        return value.transpose(2, 3, 0, 1)
    return value.transpose(3, 2, 0, 1) if value.ndim == 4 else value.T


def held(model: keras.Model) -> dict[str, np.ndarray]:
    variables = network_variables(model).items()
    return {path: keras.ops.convert_to_numpy(v) for path, v in variables}


@pytest.fixture(scope="module")
def small() -> keras.Model:
    config = nk.NetworkConfig(
        nk.get_genotype("nasnet_a"), num_cells=3, filters=8, stem="imagenet", stem_filters=6
    )
    return nk.build_network(config, 10, (64, 64, 3))


@pytest.fixture(scope="module")
def values(small: keras.Model) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {p: rng.uniform(0.5, 1.5, v.shape).astype("float32") for p, v in held(small).items()}


@pytest.fixture(scope="module")
def tensors(values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {timm_name(path, False): theirs(value, path) for path, value in values.items()}


@pytest.mark.parametrize("network", NETWORKS)
def test_every_name_and_shape_is_timms(network: str) -> None:
    original = json.loads((GOLDEN / "slim_detector.json").read_text())[NETWORKS[network][1]]
    ours = {"last_linear.weight", "last_linear.bias"}
    expected = golden_tensors(network)
    for name, shape in original["variables"]:
        stage, _, rest = name.partition("/")
        if stage.endswith("StageFeatureExtractor"):
            path = variable_path(rest)
            ours.add(timm := timm_name(path, network == "pnasnet5large"))
            assert theirs(np.empty(shape), path).shape == expected[timm]
    assert ours == set(expected)


@pytest.mark.parametrize("network", NETWORKS)
def test_the_large_networks_give_timms_logits(network: str, tmp_path: Path) -> None:
    name, _, padding = NETWORKS[network]
    tensors = {name: golden_value(name, shape) for name, shape in golden_tensors(network).items()}
    path = write_safetensors(tmp_path / "model.safetensors", tensors)
    model = nk.create_model(name, 1000, (224, 224, 3), classifier_activation=None, padding=padding)
    report = nk.load_timm_weights(model, path)
    assert len(report.assigned) == len(tensors) and not report.skipped
    images = np.random.default_rng(29).uniform(-1, 1, (1, 224, 224, 3)).astype("float32")
    with np.load(GOLDEN / "timm.npz") as golden:
        np.testing.assert_allclose(
            model.predict(images, verbose=0), golden[f"{network}|224|logits"], rtol=0, atol=2e-6
        )


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_every_value_arrives(
    dtype: str, small: keras.Model, values: Any, tensors: Any, tmp_path: Path
) -> None:
    counter = {"conv0.bn.num_batches_tracked": np.array(7, "int64")}
    stored = {name: value.astype(dtype) for name, value in tensors.items()} | counter
    path = write_safetensors(tmp_path / "model.safetensors", stored, format="pt")
    report = nk.load_pretrained(small, "small", path)
    assert report.ignored == tuple(counter) and len(report.assigned) == len(values)
    for name, value in held(small).items():
        np.testing.assert_array_equal(value, values[name].astype(dtype).astype("float32"))


def test_other_classes_keep_their_classifier(small: Any, tensors: Any, tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "model.safetensors", tensors)
    config = nk.NetworkConfig(
        nk.get_genotype("nasnet_a"), num_cells=3, filters=8, stem="imagenet", stem_filters=6
    )
    other = nk.build_network(config, 3, (64, 64, 3))
    before = held(other)
    with pytest.raises(ValueError, match=r"exclude_scopes=\['final_layer'\]"):
        nk.load_timm_weights(other, path)
    report = nk.load_timm_weights(other, path, exclude_scopes=["final_layer"])
    assert len(report.kept) == len(report.skipped) == 2
    np.testing.assert_array_equal(
        held(other)["final_layer/FC/kernel"], before["final_layer/FC/kernel"]
    )
    headless = nk.build_network(config, include_top=False)
    nk.load_pretrained(headless, "small", path, include_top=False)


@pytest.mark.parametrize("kept", [0, 5, 8, 300, 0.5, -1])
def test_a_file_cut_short_is_one_line_and_changes_nothing(
    kept: float, small: keras.Model, tensors: Any, tmp_path: Path
) -> None:
    path = write_safetensors(tmp_path / "model.safetensors", tensors)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept) if kept == 0.5 else int(kept)])
    before = held(small)
    with pytest.raises(ValueError, match="is not a complete .safetensors file") as error:
        nk.load_timm_weights(small, path)
    assert "\n" not in str(error.value)
    assert all(np.array_equal(value, before[name]) for name, value in held(small).items())


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [-1], "data_offsets": [4, 0]},
        {"dtype": "U9", "shape": [1], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]},
        {"dtype": "F32", "shape": 1, "data_offsets": [0, 4]},
    ],
)
def test_a_header_that_lies_is_refused(entry: Any, small: keras.Model, tmp_path: Path) -> None:
    encoded = json.dumps({"conv0.conv.weight": entry}).encode()
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(encoded).to_bytes(8, "little") + encoded + bytes(4))
    with pytest.raises(ValueError, match="is not a complete .safetensors file"):
        nk.load_timm_weights(small, path)


def test_a_pickle_is_not_read(small: keras.Model, tmp_path: Path) -> None:
    path = tmp_path / "nasnetalarge-a1897284.pth"
    path.write_bytes(b"\x80\x02")
    with pytest.raises(ValueError, match="PyTorch pickle.*safetensors.torch.save_file"):
        nk.load_timm_weights(small, path)
