"""How fast is a detector, how much memory does it take, and where does the time go?

For each configuration, in processes of their own: detecting in one image and training on one,
images/s and the process's largest resident memory, framework included; then the stages of detecting
one after the other, beside the multiply-adds of first stage, second stage and heads; and the
classifier of the same network at its own image size, in the same process. "of the classifier's" is
the detector's multiply-adds a second as a share of the classifier's: the aim is 0.7. Linux only.
A step has one image, so that images/s in training are steps/s. The large ones are not in the
default list: they take long and much memory. On JAX (`KERAS_BACKEND=jax`) all is compiled by XLA.

    python benchmarks/detection.py [--configs=toy,nasnet_mobile_600] [--what=inference,training]
        [--precision=float32,mixed_bfloat16] [--runs=2] [--output=detection.json]
"""

from __future__ import annotations

import itertools
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, get_args

from absl import flags
from measurement import check_output, write_json
from rich import box
from rich.console import Console
from rich.table import Table

from nasnet_keras.programs.command_line import run
from nasnet_keras.settings import Precision
from nasnet_keras.text.suggestions import unknown_name

_CONFIGS = flags.DEFINE_list("configs", ["toy", "nasnet_mobile_600"], "Configurations.")
_WHAT = flags.DEFINE_list("what", ["inference", "training"], "inference, training or both.")
_PRECISION = flags.DEFINE_list("precision", ["float32"], "Keras's dtype policies of the layers.")
_RUNS = flags.DEFINE_integer("runs", 2, "Timed runs after the first; the best counts.", 1)
_OUTPUT = flags.DEFINE_string("output", None, "JSON file to write.")
_CHILD = flags.DEFINE_string("measure", None, "Measure this one (JSON) in this process.")

_WORDS = ("config", "what", "precision")
_GIB = 1024 * 1024  # In the kibibytes of getrusage.
# As many as the second stage takes crops at once.
_CLASSIFIER_BATCH = 16
# Of a network that is no published one.
_OTHER_SIDE = 224


def main(_: list[str]) -> None:
    from nasnet_keras.detection.configuration.configs import get_config

    if _CHILD.value:
        print(json.dumps(measure_here(**json.loads(_CHILD.value))), flush=True)
        return
    check_output(_OUTPUT.value)
    for name in _CONFIGS.value:
        get_config(name)
    for value in _WHAT.value:
        if value not in ("inference", "training"):
            raise ValueError(unknown_name("measurement", value, ["inference", "training"]))
    for value in _PRECISION.value:
        if value not in get_args(Precision):
            raise ValueError(unknown_name("precision", value, get_args(Precision)))
    rows = []
    for case in itertools.product(_CONFIGS.value, _WHAT.value, _PRECISION.value):
        rows.append(measure(*case))
        print(json.dumps(rows[-1]), file=sys.stderr)
        if _OUTPUT.value:
            write_json(_OUTPUT.value, rows)
    headings = list(dict.fromkeys(heading for row in rows for heading in row))
    table = Table(box=box.MARKDOWN)
    for heading in headings:
        table.add_column(heading, justify="left" if heading in _WORDS else "right")
    for row in rows:
        values = [row.get(heading, "") for heading in headings]
        table.add_row(*(f"{x:,.3g}" if isinstance(x, float) else str(x) for x in values))
    Console(width=None if sys.stdout.isatty() else 220).print(table)


def measure(config: str, what: str, precision: str) -> dict[str, Any]:
    """Measures one case in a process of its own."""
    case = json.dumps({"config": config, "what": what, "precision": precision})
    command = [sys.executable, __file__, f"--measure={case}", f"--runs={_RUNS.value}"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise RuntimeError(f"{case} ended with status {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


def measure_here(config: str, what: str, precision: str) -> dict[str, Any]:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras
    import numpy as np

    from nasnet_keras.detection.configuration.configs import get_config
    from nasnet_keras.detection.modeling.faster_rcnn import FasterRCNN
    from nasnet_keras.detection.training.optimizer import make_optimizer

    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(precision)
    training = get_config(config)
    settings = training.detector
    height, width = settings.image_size
    model = FasterRCNN(settings)
    # On TensorFlow XLA takes longer to compile the large ones than they take to run; JAX runs an
    # operation at a time without.
    model.compile(make_optimizer(training), jit_compile=keras.backend.backend() == "jax")
    batch = {
        "images": np.random.default_rng(0).uniform(0, 255, (1, height, width, 3)).astype("float32"),
        "image_sizes": np.array([[height, width]], "float32"),
    }
    result: dict[str, Any] = {"config": config, "what": what, "precision": precision}
    result |= {"size": f"{height}x{width}"}
    if what == "training":
        box = np.array([height / 4, width / 4, height * 3 / 4, width * 3 / 4], "float32")
        batch |= {"boxes": box[None, None], "labels": np.zeros((1, 1), "int32")}
        seconds = best_time(lambda: model.train_on_batch(batch, return_dict=True))
        result |= {"crops": settings.box_batch_size}
    else:
        seconds = best_time(lambda: model.predict_on_batch(batch))
        result |= {"crops": settings.evaluation_proposals}
    result |= {"images/s": 1 / seconds, "peak (GiB)": peak_gib()}
    if what == "inference":
        # After the peak was read: the stages are compiled and kept one by one.
        result |= stage_seconds(model, batch)
        macs = gigamacs(model)
        result |= macs | classifier_rate(settings.network)
        classifier = result["classifier (GMAC)"] * result["classifier (images/s)"]
        result["of the classifier's"] = sum(macs.values()) / seconds / classifier
    return result


def classifier_rate(network: Any) -> dict[str, float]:
    """Returns the multiply-adds of the network's classifier, and the images it takes a second."""
    import numpy as np

    import nasnet_keras as nk
    from nasnet_keras.models.presets import PRESETS

    sides = [preset.image_size for preset in PRESETS.values() if preset.config == network]
    side = sides[0] if sides else _OTHER_SIDE
    model = nk.build_network(network, 1000, (side, side, 3))
    images = np.random.default_rng(0).uniform(-1, 1, (_CLASSIFIER_BATCH, side, side, 3))
    images = images.astype("float32")
    seconds = best_time(lambda: model.predict_on_batch(images))
    count = nk.count_multiply_adds(network, (side, side, 3), 1000)
    return {
        "classifier (GMAC)": count / 1e9,
        "classifier (images/s)": _CLASSIFIER_BATCH / seconds,
    }


def stage_seconds(model: Any, batch: dict[str, Any]) -> dict[str, float]:
    """Returns the seconds of each stage of detecting, compiled by itself."""
    import keras
    from keras import ops

    from nasnet_keras.detection.modeling.boxes import clip_boxes
    from nasnet_keras.detection.modeling.post_processing import decode_detections, select_detections
    from nasnet_keras.detection.modeling.proposals import propose_boxes

    c = model.config
    images, sizes = (ops.convert_to_tensor(batch[name]) for name in ("images", "image_sizes"))

    def first_stage(images: Any) -> tuple[Any, ...]:
        features, _, encodings, logits, anchors = model._first_stage(images, training=False)
        return features, encodings, logits, anchors

    def propose(encodings: Any, logits: Any, anchors: Any) -> tuple[Any, Any]:
        anchors = clip_boxes(anchors, sizes)
        count, iou, scales = c.evaluation_proposals, c.region_nms_iou, c.box_scales
        proposals, _, valid = propose_boxes(encodings, logits, anchors, sizes, count, iou, scales)
        return proposals, valid

    def second_stage(images: Any, features: Any, proposals: Any) -> Any:
        return model._second_stage(images, features, None, proposals, training=False)

    def post_process(encodings: Any, logits: Any, proposals: Any, valid: Any) -> Any:
        boxes, scores = decode_detections(encodings, logits, proposals, valid, c.box_scales)
        limits = (c.detections_per_class, c.detections)
        iou, least = c.detection_nms_iou, c.detection_score_threshold
        return select_detections(boxes, scores, sizes, iou, least, *limits)

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        compiled: Callable[[Any], Any] = tf.function
    else:
        import jax

        compiled = jax.jit
    seconds = {}

    def timed(name: str, function: Any, *arguments: Any) -> Any:
        function = compiled(function)
        kept: list[Any] = []

        def once() -> None:
            kept[:] = [function(*arguments)]
            keras.tree.map_structure(ops.convert_to_numpy, kept)

        seconds[f"{name} (s)"] = best_time(once)
        return kept[0]

    features, encodings, logits, anchors = timed("first stage", first_stage, images)
    proposals, valid = timed("proposals", propose, encodings, logits, anchors)
    encodings, logits = timed("crops and second stage", second_stage, images, features, proposals)
    timed("post-processing", post_process, encodings, logits, proposals, valid)
    return seconds


def gigamacs(model: Any) -> dict[str, float]:
    """Returns the billions of multiply-adds of the network in both stages, and of both heads."""
    settings = model.config
    first, _ = stage_multiply_adds(settings.network, settings.image_size)
    stride = settings.anchor_stride
    crop = settings.crop_size * stride
    _, second = stage_multiply_adds(settings.network, (crop, crop))
    positions = -(-settings.image_size[0] // stride) * -(-settings.image_size[1] // stride)
    window = settings.region_kernel**2 * model.backbone.channels
    regions = positions * settings.region_filters * (window + 6 * len(settings.anchor_sizes()))
    outputs = model.backbone.second_stage.output_channels * (5 * settings.classes + 1)
    boxes = settings.evaluation_proposals * outputs
    return {
        "first stage (GMAC)": first / 1e9,
        "second stage (GMAC)": second * settings.evaluation_proposals / 1e9,
        "heads (GMAC)": (regions + boxes) / 1e9,
    }


def stage_multiply_adds(network: Any, image_size: tuple[int, int]) -> tuple[int, int]:
    """Returns the multiply-adds of a network's cells in the first and in the second stage."""
    from nasnet_keras.detection.modeling.backbone import plan_split
    from nasnet_keras.models.cell_complexity import Cost, add_cell
    from nasnet_keras.models.complexity import _input_channels

    split = plan_split(network)
    cost = Cost()
    sides = [(image_size[0] // 2, image_size[1] // 2)]
    widths = [[network.stem_filters]]
    cost.add_convolution((3, 3), 3, network.stem_filters, sides[0])
    first = 0
    for cell in (*split.first, *split.second):
        if cell is split.second[0]:
            first = cost.multiply_adds
        before = sides[cell.current]
        widths.append(
            add_cell(
                cost,
                cell.genotype,
                cell.filters,
                cell.strides,
                network.bottleneck,
                _input_channels(cell, widths),
                before,
                cell.previous_reduction,
            )
        )
        sides.append((-(-before[0] // cell.strides), -(-before[1] // cell.strides)))
    return first, cost.multiply_adds - first


def best_time(function: Callable[[], Any]) -> float:
    """Returns the shortest time of a call, in seconds; the first one compiles and is left out."""
    function()
    times = []
    for _ in range(_RUNS.value):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def peak_gib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _GIB


if __name__ == "__main__":
    run(main)
