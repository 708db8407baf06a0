"""The good inputs that bad ones are made of: the smallest of each kind, made once."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tarfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .sandbox import Sandbox

TINY = ("--num_cells=2", "--filters=2", "--stem_filters=4", "--batch_size=128")
WIDE = {"region_filters": 8192, "region_kernel": 13}
SEARCH = ("--strategy=ppo", "--space_option=num_blocks=1", "--dataset_name=digits")


class Inputs:
    """A directory of good inputs, each made when it is first needed.

    Args:
        directory: Where they are.
        sandbox: Runs what makes them.
    """

    def __init__(self, directory: Path, sandbox: Sandbox) -> None:
        self.directory = directory
        self._sandbox = sandbox
        directory.mkdir(parents=True, exist_ok=True)

    def copy(self, name: str, directory: Path) -> None:
        """Copies an input into a directory, made if need be."""
        made = self.need(name)
        target = directory / name
        if made.is_dir():
            shutil.copytree(made, target, symlinks=True)
        else:
            shutil.copyfile(made, target)

    def need(self, name: str) -> Path:
        """Returns the path of an input, made if need be."""
        path = self.directory / name
        if not path.exists():
            for other in _AFTER.get(name, ()):
                self.need(other)
            maker = MAKERS[name]
            if isinstance(maker, tuple):
                self._program(maker)
            else:
                self._call(maker, path)
        return path

    def _program(self, words: tuple[str, ...]) -> None:
        # Its own limits are not what is tried here.
        ended = Sandbox(self._sandbox.logs, time_limit=900).fork(self.directory, words, work=True)
        if ended.code:
            raise RuntimeError(f"{' '.join(words)}: {ended.errors}")

    def _call(self, maker: Callable[[Path], None], path: Path) -> None:
        """Calls a function in a fork: it may use TensorFlow, which is then not to be forked."""
        pid = os.fork()
        if not pid:
            code = 1
            try:
                maker(path)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        if os.waitpid(pid, 0)[1]:
            raise RuntimeError(f"{path.name} cannot be made")


def _genotype(path: Path) -> None:
    from nasnet_keras.genotypes import get_genotype

    get_genotype("nasnet_a").save(path)


def _weights(path: Path) -> None:
    """Writes the weights of the tiny run's network in every format."""
    import keras

    from nasnet_keras.classification.trained_model import load_trained_model
    from nasnet_keras.weights.slim_writer import save_slim_checkpoint

    path.mkdir()
    model = load_trained_model(path.parent / "run").model
    model.save(path / "tiny.keras")
    model.save_weights(path / "tiny.weights.h5")
    save_slim_checkpoint(model, path / "model.ckpt-1", global_step=1)
    # Of another library; its cells are too many for the tiny network, and are read all the same.
    module = sys.modules[keras.applications.nasnet.NASNetMobile.__module__]
    other = module.NASNet(
        input_shape=(32, 32, 3), penultimate_filters=96, num_blocks=1, stem_block_filters=4,
        weights=None, classes=10, default_size=32,
    )  # fmt: skip
    other.save(path / "applications.h5")
    other.save_weights(path / "applications.weights.h5")


def _images(path: Path) -> None:
    import numpy as np
    from PIL import Image

    path.mkdir()
    image = Image.fromarray(
        np.random.default_rng(0).integers(0, 256, (24, 20, 3), np.uint8).repeat(2, 0).repeat(2, 1)
    )
    for suffix in ("png", "jpg", "bmp", "gif", "webp", "tiff", "jp2", "ppm", "ico"):
        image.save(path / f"a.{suffix}")
    image.convert("P").save(path / "palette.bmp")
    image.convert("L").save(path / "grey.pgm")
    image.convert("1").save(path / "bits.pbm")
    image.convert("CMYK").save(path / "cmyk.jpg")
    image.convert("RGBA").save(path / "alpha.png")
    image.save(path / "packed.tiff", compression="tiff_lzw")
    image.save(path / "progressive.jpg", progressive=True)
    image.save(path / "moving.gif", save_all=True, append_images=[image.rotate(90)])


def _folder(path: Path) -> None:
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(0)
    for split in ("train", "test"):
        for kind in ("cat", "dog"):
            (path / split / kind).mkdir(parents=True)
            for number in range(4):
                pixels = random.integers(0, 256, (20, 24, 3), np.uint8)
                Image.fromarray(pixels).save(path / split / kind / f"{number}.jpg")


def _cifar(path: Path) -> None:
    import numpy as np

    path.mkdir()
    random = np.random.default_rng(0)
    arrays: dict[str, Any] = {"class_names": np.array([f"class {n}" for n in range(10)])}
    for split in ("train", "test"):
        arrays[f"{split}_images"] = random.integers(0, 256, (20, 32, 32, 3), np.uint8)
        arrays[f"{split}_labels"] = np.arange(20) % 10
    np.savez_compressed(path / "cifar10.npz", **arrays)


def _records(path: Path) -> None:
    import tensorflow as tf

    path.mkdir()
    image = tf.io.encode_png(tf.zeros((8, 8, 3), tf.uint8)).numpy()
    for split in ("train", "validation"):
        name = f"flowers_{split}_00000-of-00001.tfrecord"
        with tf.io.TFRecordWriter(str(path / name)) as writer:
            for label in (0, 1, 0, 1):
                features = {
                    "image/encoded": tf.train.Feature(bytes_list=tf.train.BytesList(value=[image])),
                    "image/class/label": tf.train.Feature(
                        int64_list=tf.train.Int64List(value=[label])
                    ),
                }
                example = tf.train.Example(features=tf.train.Features(feature=features))
                writer.write(example.SerializeToString())
    (path / "labels.txt").write_text("0:daisy\n1:rose\n")


def _search(path: Path) -> None:
    """Writes a search that goes on with `SEARCH`, of children that were never trained."""
    from nasnet_keras.search import get_space, get_strategy
    from nasnet_keras.search.children.child import ClassifierChild
    from nasnet_keras.search.engine.experiment import Experiment
    from nasnet_keras.search.engine.run_directory import RunDirectory
    from nasnet_keras.search.executors.simulated_executor import SimulatedExecutor

    child = ClassifierChild("digits")
    strategy = get_strategy("ppo", get_space("nasnet", num_blocks=1), 0)
    experiment = Experiment(RunDirectory(path), strategy, child.config(), say=lambda line: None)

    def reward(job: Any) -> dict[str, Any]:
        return {"reward": job.seed % 997 / 997, **child.costs(job.description)}

    experiment.run(SimulatedExecutor(reward, lambda job: 10.0, 2), budget=12)


def _detector(path: Path) -> None:
    """Writes the configuration of the smallest detector."""
    import nasnet_keras as nk
    from nasnet_keras.detection import DetectorConfig
    from nasnet_keras.detection.configuration.training_config import TrainingConfig

    block = nk.Block(nk.Branch("separable_3x3", 0), nk.Branch("identity", 1))
    cell = nk.CellGenotype((block,), concat=(2,))
    network = nk.NetworkConfig(
        nk.Genotype("tiny", cell, cell), num_cells=3, filters=8, stem="imagenet", stem_filters=8
    )
    detector = DetectorConfig(
        network,
        classes=10,
        image_size=(64, 64),
        anchor_base_size=32.0,
        anchor_scales=(0.5, 1.0),
        anchor_aspect_ratios=(1.0,),
        region_filters=8,
        region_batch_size=16,
        training_proposals=8,
        evaluation_proposals=8,
        box_batch_size=4,
        crop_size=4,
        crops_per_chunk=4,
        detections_per_class=4,
        detections=6,
    )
    config = TrainingConfig(
        "tiny", detector, learning_rate_boundaries=(), steps=2, batch_size=2,
        evaluate_every_epochs=0,
    )  # fmt: skip
    path.write_text(json.dumps(config.to_dict(), indent=1))


def _wide_detector(path: Path) -> None:
    """Writes the configuration of a detector of few layers and of a hundred megabytes."""
    from nasnet_keras.detection.configuration.configs import get_config

    config = get_config(str(path.parent / "detector.json"))
    path.write_text(json.dumps(config.override(**WIDE).to_dict(), indent=1))


def _keras(path: Path) -> None:
    """Writes a cache of Keras's with an archive in it that is not converted yet."""
    import keras

    import nasnet_keras as nk
    from nasnet_keras.detection.configuration.configs import get_config
    from nasnet_keras.weights.catalogue import COCO, published_weights

    keras.utils.set_random_seed(0)
    detector = nk.FasterRCNN(get_config(str(path.parent / "wide.json")).detector)
    archive = path / "models" / published_weights("nasnet_large_1200", COCO).file
    archive.parent.mkdir(parents=True)
    nk.save_detector_checkpoint(detector, path / "model.ckpt")
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        for part in path.glob("model.ckpt.*"):
            tar.add(part, part.name)
            part.unlink()


def _voc(path: Path) -> None:
    """Writes the toy set's images as Pascal VOC lays them out."""
    coco = path.parent / "coco"
    for folder in ("JPEGImages", "Annotations", "ImageSets/Main"):
        (path / folder).mkdir(parents=True)
    for split in ("train", "val"):
        content = json.loads((coco / "annotations" / f"instances_{split}2017.json").read_text())
        names = []
        for image in content["images"]:
            name = f"{split}{Path(image['file_name']).stem}"
            names.append(name)
            shutil.copyfile(
                coco / f"{split}2017" / image["file_name"], path / "JPEGImages" / f"{name}.jpg"
            )
            objects = "".join(
                f"<object><name>{('dog', 'cat')[one['category_id'] % 2]}</name>"
                "<difficult>0</difficult><bndbox>"
                f"<xmin>{one['bbox'][0] + 1}</xmin><ymin>{one['bbox'][1] + 1}</ymin>"
                f"<xmax>{one['bbox'][0] + one['bbox'][2]}</xmax>"
                f"<ymax>{one['bbox'][1] + one['bbox'][3]}</ymax></bndbox></object>"
                for one in content["annotations"]
                if one["image_id"] == image["id"]
            )
            (path / "Annotations" / f"{name}.xml").write_text(
                f"<annotation><filename>{name}.jpg</filename><size><width>{image['width']}</width>"
                f"<height>{image['height']}</height><depth>3</depth></size>{objects}</annotation>\n"
            )
        (path / "ImageSets" / "Main" / f"{split}.txt").write_text("\n".join(names) + "\n")


def _lists(path: Path) -> None:
    path.mkdir()
    (path / "names.txt").write_text("".join(f"{name}\n" for name in range(10)))
    (path / "ids.txt").write_text("000000000001.jpg\n3\n")


def _results(path: Path) -> None:
    one = {"image_id": 1, "category_id": 1, "bbox": [1.5, 2, 30, 20.25], "score": 0.9}
    path.write_text(json.dumps([one, one | {"category_id": 2, "score": 0.5}]))


# A function, or a program's command line in the directory of the inputs.
MAKERS: dict[str, Callable[[Path], None] | tuple[str, ...]] = {
    "genotype.json": _genotype,
    "detector.json": _detector,
    "results.json": _results,
    "lists": _lists,
    "images": _images,
    "folder": _folder,
    "cifar": _cifar,
    "records": _records,
    "search": _search,
    "coco": ("detect", "make-toy-dataset", "--output_dir=coco", "--train_images=4",
             "--val_images=3"),
    "voc": _voc,
    "wide.json": _wide_detector,
    "keras": _keras,
    "run": ("train", "--recipe=digits", "--train_dir=run", *TINY, "--max_number_of_steps=1",
            "--notensorboard"),
    "weights": _weights,
    "det": ("detect", "train", "--config=detector.json", "--dataset_dir=coco", "--train_dir=det",
            "--notensorboard"),
    "saved_model": ("export-saved-model", "--checkpoint_path=run", "--output_dir=saved_model"),
}  # fmt: skip
_AFTER = {
    "voc": ("coco",),
    "wide.json": ("detector.json",),
    "keras": ("wide.json",),
    "weights": ("run",),
    "det": ("coco", "detector.json"),
    "saved_model": ("run",),
}
