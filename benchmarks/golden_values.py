"""How far are the networks from the original code's numbers?

Runs the three golden networks with the golden weights on the active Keras backend and prints the
largest absolute differences: at evaluation, of logits and of every end point's mean and deviation;
with batch statistics, of the auxiliary head's logits and the pooled features; and the relative
difference of the L2 sum. Then the two original detectors: the largest difference of each part, and
the relative one of the four losses.

    python benchmarks/golden_values.py [--output=golden.json]
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from absl import flags
from measurement import check_output, print_table, write_json

import nasnet_keras as nk
from nasnet_keras.programs.command_line import run

_OUTPUT = flags.DEFINE_string("output", None, "JSON file to write.")


def main(_: list[str]) -> None:
    check_output(_OUTPUT.value)
    # The golden networks are the tests'; a checkout has them, an installed package does not.
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.golden_detector import CONFIGS
    from tests.golden_network import NETWORKS

    networks = [measure(name) for name in NETWORKS]
    print_table(networks, lambda x: x if isinstance(x, str) else f"{x:.1e}")
    detectors = [measure_detector(tag) for tag in CONFIGS]
    print_table(detectors, lambda x: x if isinstance(x, str) else f"{x:.1e}")
    if _OUTPUT.value:
        write_json(_OUTPUT.value, [*networks, *detectors])


def measure(name: str) -> dict[str, Any]:
    """Compares one network; differences are absolute, the L2 sum's relative."""
    import numpy as np

    from tests.golden_network import forward, golden_images, golden_network, golden_values, l2_sum

    golden = {
        key.removeprefix(f"{name}|"): value
        for key, value in golden_values().items()
        if key.startswith(f"{name}|")
    }
    network = golden_network(name)
    points = [key.partition("mean:")[2] for key in golden if "mean:" in key]
    outputs = forward(nk.feature_extractor(network, [*points, "Logits"]), golden_images(name, 2))
    values = {point: outputs[point].astype("float64") for point in points}
    trained = forward(
        nk.feature_extractor(
            golden_network(name, auxiliary_head=True), ["AuxLogits", "global_pool"]
        ),
        golden_images(name, 4),
        training=True,
    )
    l2 = float(golden["eval|reg"])
    return {
        "network": name,
        "logits": float(np.abs(outputs["Logits"] - golden["eval|logits"]).max()),
        "end points, mean": max(
            abs(values[point].mean() - float(golden[f"eval|mean:{point}"])) for point in points
        ),
        "end points, deviation": max(
            abs(values[point].std() - float(golden[f"eval|std:{point}"])) for point in points
        ),
        "training, auxiliary logits": float(
            np.abs(trained["AuxLogits"] - golden["train|aux"]).max()
        ),
        "training, global_pool": float(
            np.abs(trained["global_pool"] - golden["train|global_pool"]).max()
        ),
        "L2 sum, relative": abs(l2_sum(name, network) / l2 - 1),
    }


def measure_detector(tag: str) -> dict[str, Any]:
    """Compares one of the original detectors; see `tests/golden_detector.py`."""
    from nasnet_keras.detection.weights.detector_checkpoint import assign_detector
    from tests.golden_detector import differences, golden_arrays, golden_config

    detector = nk.FasterRCNN(golden_config(tag), seed=0)
    assign_detector(detector, golden_arrays(tag), "the original")
    return {"detector": tag, **differences(detector, tag)}


if __name__ == "__main__":
    run(main)
