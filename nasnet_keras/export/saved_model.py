"""A trained network as a SavedModel, for TensorFlow Serving and any program with TensorFlow."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from nasnet_keras.classification.trained_model import TrainedModel
from nasnet_keras.data.preprocessing import preprocess
from nasnet_keras.export.classifier_description import describe_classifier
from nasnet_keras.export.description import describe_saved_model
from nasnet_keras.export.signatures import (
    after_checks,
    answer_for_each,
    check_backend,
    check_refusals,
    read_each,
    write_signatures,
)
from nasnet_keras.files.atomic_files import atomic_write, check_can_write, make_directory
from nasnet_keras.files.directory_lock import locked_output
from nasnet_keras.files.scratch import scratch
from nasnet_keras.models.inference import inference_model

TOLERANCE = 1e-5
_CHECKED_IMAGES = 4


@scratch()
def export_saved_model(
    trained: TrainedModel,
    output_dir: str | os.PathLike[str],
    top_k: int = 5,
    overwrite: bool = False,
) -> float:
    """Writes a SavedModel with two signatures and checks that it answers as the network does.

    - `serving_default`: `images`, float32 `(batch, size, size, 3)`, preprocessed
      (`nasnet_keras.data.preprocessing`). Returns `logits` and
      `probabilities`, float32 `(batch, classes)`.
    - `serve_bytes`: `image_bytes`, a vector of image files as strings. They are decoded, turned by
      their EXIF orientation unless `trained` says otherwise, and preprocessed as in prediction.
      Returns the best `top_k` of each: `classes` (int32 indices), `names` (strings) and `scores`
      (probabilities), `(batch, top_k)`; and `status`, strings `(batch,)`: empty, or why a file was
      refused (`served_images.refusal`), whose classes are -1 with names "" and scores 0.

    A request of another rank, size or type, with numbers that are none, or with a damaged file,
    fails by itself.

    `assets.extra/labels.txt` has the names of the classes, one a line. Nothing appears in
    `output_dir` before the check has passed.

    Args:
        trained: The network.
        output_dir: Where to write.
        top_k: How many classes `serve_bytes` returns, at most as many as there are.
        overwrite: Whether to replace a SavedModel that is in `output_dir`.

    Returns:
        The largest difference between the SavedModel's probabilities and the network's.

    Raises:
        OSError: The directory cannot be written.
        ValueError: It holds something that must not be replaced, another process is writing it, an
            argument is invalid, or the SavedModel's answers differ or it does not refuse.
    """
    check_backend("a SavedModel is written")
    if top_k < 1:
        raise ValueError(f"top_k is at least 1, got {top_k}")
    target = check_output_directory(output_dir, overwrite)
    with locked_output(target), atomic_write(target) as temporary:
        write_saved_model(trained, temporary, top_k)
        describe_saved_model(temporary, describe_classifier(trained))
        return check_saved_model(trained, temporary)


def check_output_directory(output_dir: str | os.PathLike[str], overwrite: bool) -> Path:
    """Raises an error for a directory that cannot be written or must not be replaced.

    Raises:
        OSError: Its parent cannot be written to, or it is a file.
        ValueError: It is not empty, unless it is a SavedModel and `overwrite` is true.
    """
    # Made absolute, so that "." has a name and a parent too.
    target = Path(output_dir).absolute()
    check_can_write(target, directory=True)
    if not target.exists():
        return target
    if any(target.iterdir()):
        if not (target / "saved_model.pb").is_file():
            raise ValueError(f"{output_dir} has other files in it: choose another directory")
        if not overwrite:
            raise ValueError(f"{output_dir} is not empty: choose another one, or overwrite it")
    return target


def write_saved_model(
    trained: TrainedModel, path: Path, top_k: int, preprocessing_inside: bool = False
) -> None:
    """Writes a SavedModel as `export_saved_model` does, without a check.

    Args:
        trained: The network.
        path: Where to write; nothing is there.
        top_k: How many classes `serve_bytes` returns, at most as many as there are.
        preprocessing_inside: Whether `serving_default` takes uint8 `(batch, height, width, 3)`,
            images of any size, and preprocesses them.
    """
    import tensorflow as tf

    network = inference_model(trained.model)
    names = tf.constant(trained.class_names)
    size = trained.image_size

    def answer(images: Any) -> dict[str, Any]:
        found = network(images, training=False)
        finite = tf.reduce_all(tf.math.is_finite(found["probabilities"]))
        checks = {"the network's answer is no number": finite}
        return dict(zip(found, after_checks(list(found.values()), checks), strict=True))

    def prepare(pixels: Any) -> Any:
        return preprocess(pixels, trained.preprocessing_name, size)

    def serve_pixels(images: Any) -> dict[str, Any]:
        large = {"images has no rows or columns": tf.reduce_min(tf.shape(images)) > 0}
        return answer(prepare(*after_checks([images], large)))

    def serve_bytes(image_bytes: Any) -> dict[str, Any]:
        image = tf.TensorSpec((size, size, 3), tf.float32)
        images, status = read_each(
            image_bytes,
            lambda pixels: prepare(pixels[tf.newaxis])[0],
            image,
            trained.exif_orientation,
        )
        best = min(top_k, len(trained.class_names))
        scores, classes = tf.math.top_k(answer(images)["probabilities"], best)
        found = tf.gather(names, classes)
        return answer_for_each(status, classes=(classes, -1), names=(found, ""), scores=(scores, 0))

    sides, dtype = ((None, None), tf.uint8) if preprocessing_inside else ((size, size), tf.float32)
    image_spec = tf.TensorSpec((None, *sides, 3), dtype, name="images")
    serve_images = serve_pixels if preprocessing_inside else answer
    write_signatures(path, network, serve_images, [image_spec], serve_bytes)
    extra = make_directory(path / "assets.extra")
    (extra / "labels.txt").write_text("".join(f"{name}\n" for name in trained.class_names))


def check_saved_model(
    trained: TrainedModel, path: Path, preprocessing_inside: bool = False
) -> float:
    """Compares both signatures with the network on random images, and tries what they refuse.

    Returns:
        The largest difference of probabilities.

    Raises:
        ValueError: It is too large, or wrong requests are not refused.
    """
    import tensorflow as tf

    signatures = tf.saved_model.load(str(path)).signatures
    check_refusals(signatures)
    network = inference_model(trained.model)
    size = trained.image_size
    pixels = np.random.default_rng(0).integers(0, 256, (_CHECKED_IMAGES, size, size, 3), np.uint8)
    images = preprocess(pixels, trained.preprocessing_name, size)
    expected = np.asarray(network(images, training=False)["probabilities"])
    given = pixels if preprocessing_inside else np.asarray(images)
    floats = signatures["serving_default"](images=tf.constant(given))
    files = tf.stack([tf.io.encode_png(image) for image in pixels])
    answer = signatures["serve_bytes"](image_bytes=files)
    best = np.take_along_axis(expected, answer["classes"].numpy(), axis=1)
    difference = max(
        float(np.abs(floats["probabilities"].numpy() - expected).max()),
        float(np.abs(answer["scores"].numpy() - best).max()),
    )
    if not difference < TOLERANCE:
        raise ValueError(
            f"the SavedModel's probabilities differ from the network's by {difference:.1e} "
            f"(at most {TOLERANCE:.0e} is right); nothing was written"
        )
    return difference
