"""How many images a second does each reader give on how many cores, beside what training needs?

Photographs of 500x375 are made and written as a folder of images and as slim's TFRecord files, and
read for training at 224 pixels by tf.data and by threads of Python; `--dataset_dir` adds those of
imagenet2012 as TensorFlow Datasets prepared it. Images in memory are CIFAR's, shuffled. Each row is
a process of its own that may use as many cores as it says. Images a second of processor time hold
on a busy machine too; decoding alone, on one core, is what no reader passes that decodes in full
(tf.data decodes the crop alone). The estimate for `--estimate_cores` is those times the cores: it
supposes that nothing but cores is short. The aim is four times `--needed`, what a training step
takes. Linux only.

    python benchmarks/input_readers.py [--cores=1,2] [--needed=400] [--dataset_dir=DIR]
        [--formats=folder,records,memory] [--read_by=tensorflow,python] [--output=readers.json]
"""

from __future__ import annotations

import io
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags
from measurement import check_output, print_table, rounded, write_json
from PIL import Image

from nasnet_keras.programs.command_line import run
from nasnet_keras.text.suggestions import unknown_name

_FORMATS = ("folder", "records", "tfds", "memory")
_READERS = ("tensorflow", "python")
_SIZE, _BATCH = 224, 32
_AIM = 4

_CHOSEN = flags.DEFINE_list("formats", ["folder", "records", "memory"], "Formats to measure.")
_READ_BY = flags.DEFINE_list("read_by", list(_READERS), "What reads them.")
_CORES = flags.DEFINE_list("cores", ["1", "2"], "Cores that a process may use.")
_NEEDED = flags.DEFINE_float("needed", None, "Images a second that training takes.", 0.001)
_ESTIMATE = flags.DEFINE_integer("estimate_cores", 16, "Cores of the estimate.", 1)
_DATASET_DIR = flags.DEFINE_string("dataset_dir", None, "Where imagenet2012 is, for tfds.")
_IMAGES = flags.DEFINE_integer("images", 200, "How many photographs are made.", 32)
_SECONDS = flags.DEFINE_float("seconds", 5, "How long to measure each.", 0.1)
_OUTPUT = flags.DEFINE_string("output", None, "JSON file to write.")
_CHILD = flags.DEFINE_string("measure", None, "Measure this one (JSON) in this process.")


def main(_: list[str]) -> None:
    if _CHILD.value:
        print(json.dumps(measure_here(**json.loads(_CHILD.value))), flush=True)
        return
    check_output(_OUTPUT.value)
    _check("format", _CHOSEN.value, _FORMATS)
    _check("reader", _READ_BY.value, _READERS)
    _check("number of cores", _CORES.value, [str(n + 1) for n in range(os.cpu_count() or 1)])
    formats = [*_CHOSEN.value, *(["tfds"] if _DATASET_DIR.value else [])]
    with tempfile.TemporaryDirectory() as made:
        write_photographs(Path(made), _IMAGES.value, with_records="records" in formats)
        cases = [("decoding alone", reader, 1) for reader in _READ_BY.value]
        cases += [
            (kind, reader, int(cores))
            for kind in dict.fromkeys(formats)
            for reader in (["numpy"] if kind == "memory" else _READ_BY.value)
            for cores in _CORES.value
        ]
        rows = []
        for case in cases:
            rows.append(measure(made, *case))
            print(json.dumps(rows[-1]), file=sys.stderr)
            if _OUTPUT.value:
                write_json(_OUTPUT.value, rows)
    print_table(rows, rounded(1))


def _check(kind: str, names: list[str], known: Any) -> None:
    for name in names:
        if name not in known:
            raise ValueError(unknown_name(kind, name, known))


def write_photographs(directory: Path, count: int, with_records: bool) -> None:
    """Writes JPEGs with the detail of photographs as a folder of images, and as slim's files."""
    generator = np.random.default_rng(0)
    encoded = []
    for number in range(count):
        # Smooth, with texture: about 60 kB each, 110 kB in ImageNet.
        small = Image.fromarray(generator.integers(0, 256, (12, 16, 3)).astype("uint8"))
        smooth = np.asarray(small.resize((500, 375), Image.Resampling.BICUBIC), "int16")
        pixels = smooth + generator.normal(0, 12, smooth.shape).astype("int16")
        file = io.BytesIO()
        Image.fromarray(pixels.clip(0, 255).astype("uint8")).save(file, "JPEG", quality=90)
        encoded.append(file.getvalue())
        path = directory / "folder" / "train" / str(number % 10) / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded[-1])
    if with_records:
        write_records(directory / "records", encoded)


def write_records(directory: Path, encoded: list[bytes]) -> None:
    """Writes slim's files of images, four of them, which takes TensorFlow."""
    import tensorflow as tf

    directory.mkdir()
    (directory / "labels.txt").write_text("".join(f"{n}:class {n}\n" for n in range(10)))
    for shard in range(4):
        with tf.io.TFRecordWriter(str(directory / f"train-{shard:05d}-of-00004")) as writer:
            for number, image in enumerate(encoded[shard::4]):
                bytes_list = tf.train.BytesList(value=[image])
                int64_list = tf.train.Int64List(value=[number % 10])
                feature = {
                    "image/encoded": tf.train.Feature(bytes_list=bytes_list),
                    "image/class/label": tf.train.Feature(int64_list=int64_list),
                }
                example = tf.train.Example(features=tf.train.Features(feature=feature))
                writer.write(example.SerializeToString())


def measure(made: str, kind: str, reader: str, cores: int) -> dict[str, Any]:
    """Measures one case in a process of its own."""
    case = json.dumps({"made": made, "kind": kind, "reader": reader, "cores": cores})
    command = [sys.executable, __file__, f"--measure={case}", f"--seconds={_SECONDS.value}"]
    if _DATASET_DIR.value:
        command.append(f"--dataset_dir={_DATASET_DIR.value}")
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise RuntimeError(f"{case} ended with status {done.returncode}")
    rates = json.loads(done.stdout.splitlines()[-1])
    row = {"images": kind, "read by": reader, "cores": cores, **rates}
    estimate = rates["of processor"] * _ESTIMATE.value
    row[f"{_ESTIMATE.value} cores, estimate"] = estimate
    if _NEEDED.value:
        row["times the need"] = rates["images/s"] / _NEEDED.value
        row["estimate, times the need"] = estimate / _NEEDED.value
        row["cores for four times"] = _AIM * _NEEDED.value / rates["of processor"]
    return row


def measure_here(made: str, kind: str, reader: str, cores: int) -> dict[str, float]:
    # Before a framework counts them.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if kind == "decoding alone":
        return rates(decoded(Path(made) / "folder", reader), 1)
    if kind == "memory":
        return rates(in_memory(), _BATCH)
    from nasnet_keras.data.streams.pipeline import image_batches

    place = {"folder": ("image_folder", f"{made}/folder"), "records": ("made", f"{made}/records")}
    name, directory = place.get(kind, ("imagenet2012", _DATASET_DIR.value))
    stream = image_batches(
        *(name, "train", directory, "inception", _SIZE, _BATCH),
        training=True,
        read_by="python" if reader == "python" else "tensorflow",
    )
    return rates(iter(stream), _BATCH)


def decoded(folder: Path, reader: str) -> Iterator[Any]:
    """Decodes the photographs in full, again and again."""
    files = [path.read_bytes() for path in sorted(folder.rglob("*.jpg"))]
    if reader == "python":
        from nasnet_keras.data.image_reader import decode_image as decode
    else:
        import tensorflow as tf

        def decode(encoded: bytes) -> Any:
            return tf.io.decode_jpeg(encoded, channels=3)

    for file in itertools.cycle(files):
        yield decode(file)


def in_memory() -> Iterator[Any]:
    from nasnet_keras.data.streams.batches import shuffled_batches

    images, labels = np.zeros((50_000, 32, 32, 3), "float32"), np.zeros((50_000, 10), "float32")
    return shuffled_batches(images, {"logits": labels}, _BATCH, seed=0)


def rates(batches: Iterator[Any], images_each: int) -> dict[str, float]:
    """Returns images a second, and a second of the processor, after the first batch."""
    next(batches)
    images, start, processor = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - start < _SECONDS.value:
        next(batches)
        images += images_each
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    return {"images/s": images / seconds, "of processor": images / processor}


if __name__ == "__main__":
    run(main)
