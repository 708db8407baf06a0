"""Drawings of layer-wise networks."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from nasnet_keras.genotypes import NAS_V1, LayerwiseGenotype
from nasnet_keras.visualization import draw_genotype, genotype_svg
from nasnet_keras.visualization.layer_layout import place_layers
from tests.layerwise_networks import MIXED, PLAIN

SVG = "{http://www.w3.org/2000/svg}"
GENOTYPES = [NAS_V1, MIXED, PLAIN]


@pytest.mark.parametrize("genotype", GENOTYPES, ids=lambda genotype: genotype.name)
def test_every_layer_and_connection_is_drawn(genotype: LayerwiseGenotype) -> None:
    root = ElementTree.fromstring(genotype_svg(genotype))
    paths = [(p.attrib["data-from"], p.attrib["data-to"]) for p in root.iter(f"{SVG}path")]
    expected = []
    for index, layer in enumerate(genotype.layers):
        sources = [f"layer_{i}" for i in layer.inputs] or ["image"]
        expected += [(source, f"layer_{index}") for source in sources]
    expected += [(f"layer_{i}", "classifier") for i in genotype.outputs]
    assert sorted(paths) == sorted(expected)
    texts = {
        g.attrib["data-name"]: [t.text for t in g.iter(f"{SVG}text")]
        for g in root.iter(f"{SVG}g")
        if "data-name" in g.attrib
    }
    assert len(texts) == len(genotype.layers) + 2
    if genotype is MIXED:
        assert texts["layer_0"] == ["3x5, 6", "stride 2x1"] and texts["layer_2"] == ["max 2x2"]


@pytest.mark.parametrize("genotype", GENOTYPES, ids=lambda genotype: genotype.name)
def test_skips_go_up_beside_the_column_and_none_hides_another(genotype: LayerwiseGenotype) -> None:
    layout = place_layers(genotype)
    boxes = {box.name: box for box in layout.boxes}
    half = max(box.width for box in layout.boxes) / 2
    center = boxes["image"].x
    lanes: dict[tuple[float, float], str] = {}
    for edge in layout.edges:
        for (x, low), (_, high) in zip(edge.points[2:-2:2], edge.points[3:-2:2], strict=True):
            assert abs(x - center) > half and 0 <= x <= layout.width
            # At one place there is the output of one layer only.
            assert lanes.setdefault((x, low), edge.source) == edge.source and low < high
        heights = [y for _, y in edge.points]
        assert heights == sorted(heights)
        assert edge.points[0][1] == pytest.approx(
            boxes[edge.source].y + boxes[edge.source].height / 2
        )


def test_a_published_network_is_drawn_by_its_name(tmp_path: Path) -> None:
    for suffix in ("svg", "png"):
        draw_genotype("nas_v1", tmp_path / f"layers.{suffix}")
    assert (tmp_path / "layers.svg").read_text() == genotype_svg(NAS_V1) + "\n"
    assert (tmp_path / "layers.png").read_bytes()[:4] == b"\x89PNG"
