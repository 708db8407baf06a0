"""How fast are the files of an export, beside those of keras.applications' same network?

Ours are what `nasnet-keras export` writes. Theirs are made as people do: ONNX by tf2onnx, OpenVINO
from that file, LiteRT by TensorFlow's converter from the frozen function, a SavedModel by
`model.export`. Both networks have random weights, scaled so that no class has all probability. The
files run in turn in one process a number of threads; times are processor time, ratios medians of
those of each round, ours to theirs. Files in 8 bits are compared with their float32 ones; they are
calibrated on random pictures, on which their speed does not depend. Where no ratio is a goal, none
is shown. Exporting is timed in a process of its own, with its peak memory.

    python benchmarks/exported_files.py [--network=nasnet_mobile] [--formats=onnx,openvino]
        [--batch_sizes=1,32] [--threads=1,2] [--rounds=9] [--output=exported_files.json]

Rows are printed and written as soon as they are known. The large network at batch 32 takes some
minutes a round; `tiny` only shows that all runs. Linux only.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from absl import flags
from measurement import check_output, write_json

from nasnet_keras.programs.command_line import import_keras_quietly, run
from nasnet_keras.text.suggestions import unknown_name

# By format: our file, theirs, what they compute in, and the ratio to reach at batch 1 and at 32.
FORMATS: dict[str, tuple[str, str, str, tuple[float | None, float | None]]] = {
    "onnx": ("float32/model.onnx", "model.onnx", "float32", (0.70, 0.80)),
    "onnx_int8": ("int8/model.onnx", "model.onnx", "float32", (None, None)),
    "openvino": ("float32/model.xml", "model.xml", "float32", (0.90, 0.90)),
    "openvino_bfloat16": ("bfloat16/model.xml", "model.xml", "bfloat16", (0.86, 0.86)),
    "openvino_int8": ("int8/model.xml", "model.xml", "float32", (None, None)),
    "litert": ("float32/model.tflite", "model.tflite", "float32", (0.97, 0.97)),
    "litert_int8": ("int8/model.tflite", "model.tflite", "float32", (0.75, 0.75)),
    "saved_model": ("float32/saved_model", "saved_model", "float32", (0.88, 0.88)),
}
BEST_GOAL = 0.80
_HEAD = (
    "| file | threads | batch | theirs, ms | ours, ms | ratio | goal | MB, theirs; ours |",
    "|---|---|---|---|---|---|---|---|",
)
# By name: side of the images, and in how many seconds ours is to be exported to all formats.
NETWORKS = {"nasnet_mobile": (224, 60), "nasnet_large": (331, 300), "tiny": (32, None)}
_CALLS = 8  # Of batch 1 in a measurement; one of them alone is too short to time.

_NETWORK = flags.DEFINE_enum("network", "nasnet_mobile", list(NETWORKS), "Network to measure.")
_FORMATS = flags.DEFINE_list("formats", list(FORMATS), "Formats to measure.")
_BATCHES = flags.DEFINE_list("batch_sizes", ["1", "32"], "Images in a call.")
_THREADS = flags.DEFINE_list("threads", ["1", "2"], "Threads that a runtime has.")
_ROUNDS = flags.DEFINE_integer("rounds", 9, "How often each is measured.", lower_bound=1)
_SIZE = flags.DEFINE_integer("image_size", None, "Side of the images; the network's by default.")
_OUTPUT = flags.DEFINE_string("output", None, "JSON file to write.")
_CHILD = flags.DEFINE_string("child", None, "What this process does, as JSON; for itself.")


def main(_: list[str]) -> None:
    if _CHILD.value:
        case = json.loads(_CHILD.value)
        print(json.dumps(CHILDREN[case.pop("does")](**case)))
        return
    check_output(_OUTPUT.value)
    for name in _FORMATS.value:
        if name not in FORMATS:
            raise ValueError(unknown_name("format", name, FORMATS))
    side, goal = NETWORKS[_NETWORK.value]
    side = _SIZE.value or side
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as directory:
        common = {"directory": directory, "network": _NETWORK.value, "side": side}
        common["formats"] = _FORMATS.value
        exported = child("export_ours", **common)
        child("export_theirs", **common)
        print("\n".join(_HEAD), flush=True)
        for threads in map(int, _THREADS.value):
            for batch in map(int, _BATCHES.value):
                case = {"threads": threads, "batch": batch, "rounds": _ROUNDS.value}
                found = child("measure", **common, **case)
                print("\n".join(map(line, found)), flush=True)
                rows += found
                if _OUTPUT.value:
                    write_json(_OUTPUT.value, [{"file": "export", **exported}, *rows])
    print(
        f"\nexport of {', '.join(exported['formats'])}: {exported['seconds']:.0f} s, "
        f"{exported['processor_seconds']:.0f} s of processor time, {exported['peak_gib']:.1f} GiB"
        + (f"; goal for all formats {goal} s" if goal else "")
    )


def line(row: dict[str, Any]) -> str:
    """Returns a row of the table."""
    place = f"{row['file']} | {row['threads']} | {row['batch']}"
    times = f"{row['theirs_ms']:.1f} | {row['ours_ms']:.1f} | {row['ratio']:.2f}"
    sizes = f"{row['theirs_mb']:.1f}; {row['ours_mb']:.1f}" if "ours_mb" in row else ""
    return f"| {place} | {times} | {row['goal'] or ''} | {sizes} |"


def child(does: str, **case: Any) -> Any:
    """Runs one of `CHILDREN` in a process of its own; returns what it printed."""
    said = ", ".join(f"{key} {case[key]}" for key in ("network", "threads", "batch") if key in case)
    print(f"{time.strftime('%H:%M:%S')} {does}: {said}", file=sys.stderr, flush=True)
    command = [sys.executable, __file__, f"--child={json.dumps({'does': does, **case})}"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise RuntimeError(f"{does} ended with status {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


def networks(network: str, side: int) -> dict[str, Callable[[], Any]]:
    """Returns what builds our network, and what builds theirs."""
    import keras

    import nasnet_keras as nk

    shape = (side, side, 3)
    if network == "tiny":
        module = sys.modules[keras.applications.nasnet.NASNetMobile.__module__]
        ours: Any = {"num_cells": 3, "filters": 8, "stem_filters": 8}
        theirs: Any = {"num_blocks": 1, "penultimate_filters": 192, "stem_block_filters": 8}
        return {
            "ours": lambda: nk.create_model("nasnet_mobile", 1000, input_shape=shape, **ours),
            "theirs": lambda: module.NASNet(
                input_shape=shape, weights=None, default_size=side, **theirs
            ),
        }
    build = keras.applications.NASNetMobile
    if network == "nasnet_large":
        build = keras.applications.NASNetLarge
    return {
        "ours": lambda: nk.create_model(network, 1000, input_shape=shape),
        "theirs": lambda: build(weights=None, input_shape=shape),
    }


def export_ours(directory: str, network: str, side: int, formats: list[str]) -> dict[str, Any]:
    """Writes our files; returns what those in float32 took: seconds and GiB."""
    import_keras_quietly()
    from nasnet_keras.classification.trained_model import TrainedModel
    from nasnet_keras.data.streams.evaluation_batches import EvaluationBatches
    from nasnet_keras.export.classifier_formats import export_classifier
    from nasnet_keras.export.quantization import QuantizationPictures

    model = networks(network, side)["ours"]()
    prepared = spread_answers(model, side)
    names = tuple(f"class {i}" for i in range(1000))
    trained = TrainedModel(model, names, side, "scale")
    pictures = list(((prepared + 1) * 127.5).astype("uint8"))
    written = [name for name in formats if FORMATS[name][0].startswith("float32")]
    start, processor = time.perf_counter(), time.process_time()
    if written:
        export_classifier(trained, f"{directory}/float32", written, pictures)
    result = {
        "formats": written,
        "seconds": time.perf_counter() - start,
        "processor_seconds": time.process_time() - processor,
        "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2,
    }
    if "openvino_bfloat16" in formats:
        export_classifier(trained, f"{directory}/bfloat16", ["openvino"], pictures, "bfloat16")
    in_8_bits = [name.removesuffix("_int8") for name in formats if name.endswith("_int8")]
    if in_8_bits:
        # Random weights have no accuracy to lose: any answer will do.
        labels = np.zeros(len(prepared), int)
        held_out = EvaluationBatches(
            *("random", "test", names, len(prepared), len(prepared)),
            lambda: iter([(prepared, labels)]),
        )
        export_classifier(
            *(trained, f"{directory}/int8", in_8_bits, pictures, "int8"),
            quantization=QuantizationPictures(prepared, held_out),
            max_accuracy_loss=100.0,
        )
    return result


def export_theirs(directory: str, network: str, side: int, formats: list[str]) -> None:
    """Writes the files of keras.applications' network."""
    import_keras_quietly()
    import tensorflow as tf

    model = networks(network, side)["theirs"]()
    spread_answers(model, side)
    target = Path(directory) / "theirs"
    target.mkdir()
    signature = [tf.TensorSpec((None, side, side, 3), tf.float32, name="images")]
    function = tf.function(lambda images: model(images, training=False), signature)
    files = {FORMATS[name][1] for name in formats}
    if "saved_model" in files:
        model.export(target / "saved_model", verbose=False)
    if files & {"model.onnx", "model.xml"}:
        import tf2onnx

        tf2onnx.convert.from_function(function, signature, output_path=str(target / "model.onnx"))
    if "model.xml" in files:
        import openvino

        converted = openvino.convert_model(target / "model.onnx")
        openvino.save_model(converted, target / "model.xml", compress_to_fp16=False)
    if "model.tflite" in files:
        from tensorflow.python.framework.convert_to_constants import (
            convert_variables_to_constants_v2 as freeze,
        )

        frozen = freeze(function.get_concrete_function())
        converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
        (target / "model.tflite").write_bytes(converter.convert())


def spread_answers(model: Any, side: int) -> np.ndarray:
    """Gives a network statistics and a last layer with which its answers are spread.

    Returns:
        The images, `(4, side, side, 3)` in [-1, 1], that the last layer was scaled on.
    """
    import keras

    generator = np.random.default_rng(0)
    for variable in model.variables:
        if variable.path.endswith("moving_variance"):
            variable.assign(generator.uniform(0.5, 1.5, variable.shape))
        elif variable.path.endswith(("moving_mean", "beta")):
            variable.assign(generator.normal(0, 0.1, variable.shape))
    images = generator.integers(0, 256, (4, side, side, 3)) / np.float32(127.5) - 1
    images = images.astype("float32")
    kernel = [x.kernel for x in model._flatten_layers() if isinstance(x, keras.layers.Dense)][-1]
    while not (probabilities := np.asarray(model(images, training=False))).all():
        kernel.assign(kernel * 0.1)
    # The logits, each image's shifted.
    logits = np.log(probabilities)
    kernel.assign(kernel / logits.std(axis=1).mean())
    return images


def measure(
    directory: str,
    network: str,
    side: int,
    formats: list[str],
    threads: int,
    batch: int,
    rounds: int,
) -> list[dict[str, Any]]:
    """Runs the files in turn; returns a row for each format, and one for the best of both."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    images = np.random.default_rng(1).uniform(-1, 1, (batch, side, side, 3)).astype("float32")
    pairs = {}
    for name in formats:
        ours, theirs, precision, _ = FORMATS[name]
        paths = [Path(directory) / "theirs" / theirs, Path(directory) / ours]
        calls = [open_file(path, precision, threads, images) for path in paths]
        pairs[name] = paths, calls
    for _, calls in pairs.values():
        for call in calls:
            call()
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in formats}
    for number in range(rounds):
        for name, (_, (theirs_call, ours_call)) in pairs.items():
            if number % 2:
                ours_ms, theirs_ms = (milliseconds(x, batch) for x in (ours_call, theirs_call))
            else:
                theirs_ms, ours_ms = (milliseconds(x, batch) for x in (theirs_call, ours_call))
            times[name].append((theirs_ms, ours_ms))
    rows = []
    for name, ((theirs_path, ours_path), _) in pairs.items():
        row = row_of(name, threads, batch, times[name], FORMATS[name][3][batch > 1])
        rows.append(row | {"theirs_mb": megabytes(theirs_path), "ours_mb": megabytes(ours_path)})
    best_theirs = min(formats, key=lambda name: median(pair[0] for pair in times[name]))
    best_ours = min(formats, key=lambda name: median(pair[1] for pair in times[name]))
    best = [(a[0], b[1]) for a, b in zip(times[best_theirs], times[best_ours], strict=True)]
    # 8 bits are compared with their float32.
    label = f"best: {best_ours} against {best_theirs.removesuffix('_int8')}"
    return [*rows, row_of(label, threads, batch, best, BEST_GOAL if batch == 1 else None)]


def row_of(
    name: str, threads: int, batch: int, times: list[tuple[float, float]], goal: float | None
) -> dict[str, Any]:
    """Returns medians of times, `(theirs, ours)` a round."""
    return {
        "file": name,
        "threads": threads,
        "batch": batch,
        "theirs_ms": median(pair[0] for pair in times),
        "ours_ms": median(pair[1] for pair in times),
        "ratio": median(ours / theirs for theirs, ours in times),
        "goal": goal,
    }


def milliseconds(call: Callable[[], Any], batch: int) -> float:
    """Returns the processor time of a call, in milliseconds."""
    calls = max(1, _CALLS // batch)
    start = time.process_time()
    for _ in range(calls):
        call()
    return (time.process_time() - start) / calls * 1000


def megabytes(path: Path) -> float:
    """Returns the size of a file, or of a SavedModel or of OpenVINO's two files."""
    if path.is_dir():
        files = [file for file in path.rglob("*") if file.is_file()]
    else:
        files = [path, *([path.with_suffix(".bin")] if path.suffix == ".xml" else [])]
    return sum(file.stat().st_size for file in files) / 1e6


def open_file(path: Path, precision: str, threads: int, images: np.ndarray) -> Callable[[], Any]:
    """Returns a function that runs a file on images."""
    return OPENERS[path.suffix](path, precision, threads, images)


def _onnx(path: Path, precision: str, threads: int, images: np.ndarray) -> Callable[[], Any]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Waiting in a loop would be counted as another file's time.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: images}
    return lambda: session.run(None, feed)


def _openvino(path: Path, precision: str, threads: int, images: np.ndarray) -> Callable[[], Any]:
    import openvino

    hint = {"float32": "f32", "bfloat16": "bf16"}[precision]
    hints = {"INFERENCE_PRECISION_HINT": hint, "INFERENCE_NUM_THREADS": threads}
    request = openvino.Core().compile_model(str(path), "CPU", hints).create_infer_request()
    return lambda: request.infer([images], share_inputs=True)


def _litert(path: Path, precision: str, threads: int, images: np.ndarray) -> Callable[[], Any]:
    from nasnet_keras.export.runtimes import litert_interpreter

    interpreter = litert_interpreter()(model_path=str(path), num_threads=threads)
    place = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(place, images.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(place, images)
    return interpreter.invoke


def _saved_model(path: Path, precision: str, threads: int, images: np.ndarray) -> Callable[[], Any]:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    loaded = tf.saved_model.load(str(path))
    signature = loaded.signatures["serving_default"]
    (given,) = signature.structured_input_signature[1]
    feed = {given: tf.constant(images)}
    # Its variables live as long as what was loaded.
    return lambda: (loaded, [answer.numpy() for answer in signature(**feed).values()])


OPENERS = {".onnx": _onnx, ".xml": _openvino, ".tflite": _litert, "": _saved_model}
CHILDREN: dict[str, Callable[..., Any]] = {
    "export_ours": export_ours,
    "export_theirs": export_theirs,
    "measure": measure,
}


if __name__ == "__main__":
    run(main)
