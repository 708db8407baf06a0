"""How fast is an exported detector in ONNX Runtime, beside what tf2onnx makes of the same one?

Both files are of one detector with random weights and BN statistics, and find the same boxes in one
random image before they are measured in turn, on one thread. The ratio is the median over rounds of
processor times side by side; aim at most 0.8. The second column is how long writing took.

    python benchmarks/exported_detectors.py [--names=nasnet_mobile_600] [--output=exported.json]

tf2onnx needs some minutes and gigabytes for a large detector.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
from absl import flags
from measurement import check_output, write_json

import nasnet_keras as nk
from nasnet_keras.programs.command_line import import_keras_quietly, run

_NAMES = flags.DEFINE_list("names", ["nasnet_mobile_600"], "Detectors to measure.")
_ROUNDS = flags.DEFINE_integer("rounds", 5, "How often each is measured.", lower_bound=1)
_OUTPUT = flags.DEFINE_string("output", None, "JSON file to write.")


def main(_: list[str]) -> None:
    check_output(_OUTPUT.value)
    import_keras_quietly()
    rows = [measure(name, _ROUNDS.value) for name in _NAMES.value]
    print("| detector | written in, s | by tf2onnx, s | detects in, s | by tf2onnx, s | ratio |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        numbers = (row[f"{kind}_{name}"] for kind in ("write", "detect") for name in WRITERS)
        shown = " | ".join(f"{number:.2f}" for number in numbers)
        print(f"| {row['detector']} | {shown} | {row['ratio']:.2f} |")
    if _OUTPUT.value:
        write_json(_OUTPUT.value, rows)


def measure(name: str, rounds: int) -> dict[str, Any]:
    """Writes and runs one detector in both ways; returns processor times in seconds."""
    from nasnet_keras.export.detector_check import compare_detections

    detector = random_detector(name)
    height, width = detector.config.image_size
    feed = {
        "images": np.random.default_rng(1).uniform(0, 255, (1, height, width, 3)),
        "image_sizes": np.array([[height, width]]),
    }
    feed = {key: values.astype("float32") for key, values in feed.items()}
    row: dict[str, Any] = {"detector": name}
    sessions = {}
    for writer, write in WRITERS.items():
        start = time.process_time()
        content = write(detector)
        row[f"write_{writer}"] = time.process_time() - start
        sessions[writer] = one_thread_session(content)
    found = []
    for session in sessions.values():
        answer = dict(zip(OUTPUTS, session.run(OUTPUTS, feed), strict=True))
        found.append({output: answer[output][0] for output in OUTPUTS if output != "count"})
    comparison = compare_detections(found[:1], found[1:])
    if not comparison.agrees():
        raise ValueError(f"the two files of {name} differ: {comparison}")
    row["detections"] = comparison.detections
    times: dict[str, list[float]] = {writer: [] for writer in WRITERS}
    for _ in range(rounds):
        for writer, session in sessions.items():
            start = time.process_time()
            session.run(None, feed)
            times[writer].append(time.process_time() - start)
    row |= {f"detect_{writer}": median(values) for writer, values in times.items()}
    row["ratio"] = median(a / b for a, b in zip(*times.values(), strict=True))
    return row


OUTPUTS = ["boxes", "scores", "labels", "count"]


def random_detector(name: str) -> Any:
    """Returns a detector whose BN, scores and boxes are not those of an untrained one.

    BN has the statistics of a random image: with others numbers would grow beyond any box.
    """
    import keras

    from nasnet_keras.layers.batch_normalization import batch_norms

    keras.utils.set_random_seed(0)
    detector = nk.create_detector(name)
    generator = np.random.default_rng(0)
    layers = batch_norms(detector.network)
    kept = {layer: layer.momentum for layer in layers}
    for layer in layers:
        layer.beta.assign(generator.normal(0, 0.1, layer.beta.shape))
        # Frozen, it would not take them.
        layer.trainable, layer.momentum = True, 0.0
    height, width = detector.config.image_size
    detector.network(
        generator.uniform(-1, 1, (1, height, width, 3)).astype("float32"), training=True
    )
    for layer, momentum in kept.items():
        layer.trainable, layer.momentum = False, momentum
    return detector


def written_out(detector: Any) -> bytes:
    """Returns the file that an export writes."""
    from nasnet_keras.export.detector.onnx_model import detector_onnx

    return detector_onnx(detector, detector.config.image_size).SerializeToString()


def traced(detector: Any) -> bytes:
    """Returns the file that tf2onnx makes of the detector's own function."""
    import tf2onnx

    from nasnet_keras.export.detector.tensorflow_functions import fixed_function

    function = fixed_function(detector, detector.config.image_size)
    model, _ = tf2onnx.convert.from_function(
        function, input_signature=function.input_signature, opset=17
    )
    return model.SerializeToString()


WRITERS: dict[str, Callable[[Any], bytes]] = {"graph": written_out, "tf2onnx": traced}


def one_thread_session(content: bytes) -> Any:
    """Returns a session of ONNX Runtime that computes on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


if __name__ == "__main__":
    run(main)
