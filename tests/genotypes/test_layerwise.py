"""Networks layer by layer as data: what can be one, and its JSON."""

import dataclasses
import json
from pathlib import Path

import pytest

from nasnet_keras.genotypes import (
    NASNET_A,
    ConvolutionLayer,
    Genotype,
    LayerwiseGenotype,
    MaxPoolLayer,
    NetworkGenotype,
    get_genotype,
)

LAYERS = (
    ConvolutionLayer(3, 5, 2, 1, 36),
    ConvolutionLayer(7, 1, 1, 1, 24),
    MaxPoolLayer(2, inputs=(1,)),
    ConvolutionLayer(1, 1, 1, 1, 48, inputs=(2, 0)),
)
GENOTYPE = LayerwiseGenotype("four", LAYERS)


def test_layers_that_nobody_reads_go_to_the_classifier() -> None:
    assert GENOTYPE.outputs == (3,)
    assert LayerwiseGenotype("three", LAYERS[:3]).outputs == (0, 2)
    # The order of what is concatenated is that of the layers.
    assert GENOTYPE.layers[3].inputs == (0, 2)
    assert not GENOTYPE.keeps_resolution
    assert LayerwiseGenotype("one", LAYERS[1:2]).keeps_resolution


def test_a_file_gives_the_genotype_of_its_kind(tmp_path: Path) -> None:
    for genotype in (GENOTYPE, NASNET_A):
        genotype.save(tmp_path / "genotype.json")
        assert NetworkGenotype.load(tmp_path / "genotype.json") == genotype
        assert get_genotype(str(tmp_path / "genotype.json")) == genotype
    with pytest.raises(ValueError, match=r"genotype.json: expected format .*layerwise_genotype'"):
        LayerwiseGenotype.load(tmp_path / "genotype.json")
    # A kind that is asked for need not be named.
    data = GENOTYPE.to_dict()
    del data["format"], data["version"], data["num_layers"]
    assert LayerwiseGenotype.from_dict(data) == GENOTYPE
    with pytest.raises(ValueError, match="unknown genotype key 'layers'"):
        Genotype.from_dict(data)


@pytest.mark.parametrize(
    ("index", "change", "message"),
    [
        (1, {"inputs": [2]}, "layer 1 reads layer 2, but can read layers 0 to 0 only"),
        (0, {"inputs": [0]}, "layer 0 reads layer 0, but can read the image only"),
        (3, {"inputs": [-1]}, "layer 3 reads layer -1, but can read layers 0 to 2"),
        (3, {"inputs": [1, 1]}, r"layer 3 reads a layer twice: \[1, 1\]"),
        (3, {"inputs": 2}, "layer 3: inputs is a list of layers, got 2"),
        (0, {"filters": 0}, "layer 0: filters is a whole number of at least 1, got 0"),
        (0, {"filters": 10**6}, "layer 0: filters is at most 8,192, got 1000000"),
        (1, {"filter_height": 1.5}, "layer 1: filter_height is a whole number"),
        (1, {"stride_width": 0}, "layer 1: stride_width is a whole number of at least 1, got 0"),
        (2, {"size": 0}, "layer 2: size is a whole number of at least 1, got 0"),
        (2, {"filters": 3}, "layer 2: unknown setting of a max_pool 'filters'"),
        (1, {"filter_hight": 3}, "layer 1: .* did you mean 'filter_height'"),
        (1, {"kind": "max_pol"}, "layer 1: unknown kind 'max_pol'; did you mean 'max_pool'"),
    ],
)
def test_a_malformed_layer_is_named(index: int, change: dict, message: str) -> None:
    data = json.loads(GENOTYPE.to_json())
    data["layers"][index] |= change
    with pytest.raises(ValueError, match=message):
        NetworkGenotype.from_dict(data)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layers": []}, "genotype 'four' has no layers"),
        ({"layers": "abc"}, "genotype 'four' needs a list 'layers'"),
        ({"layers": [3]}, "layer 0 is a JSON object, got 3"),
        ({"layers": [{}]}, "layer 0: 'filter_height' is missing"),
        ({"num_layers": 5}, "num_layers is 5, but 4 layers are listed"),
        ({"name": "a/b"}, "a genotype's name is a non-empty string with no '/'"),
        ({"version": 2}, "version 1, got .* version 2"),
        ({"format": "nasnet"}, "expected format .* got 'nasnet'"),
    ],
)
def test_a_malformed_genotype_is_refused(change: dict, message: str) -> None:
    data = {k: v for k, v in GENOTYPE.to_dict().items() if k != "num_layers"} | change
    with pytest.raises(ValueError, match=message):
        NetworkGenotype.from_dict(data)


def test_a_network_has_few_layers() -> None:
    layer = LAYERS[0]
    with pytest.raises(ValueError, match="the number of layers is at most 100, got 101"):
        LayerwiseGenotype("deep", (layer,) * 101)
    assert dataclasses.replace(GENOTYPE, name="other") == GENOTYPE.renamed("other")
