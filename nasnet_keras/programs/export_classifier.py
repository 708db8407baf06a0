"""Writes a trained image classifier as SavedModel, ONNX, OpenVINO and LiteRT.

  nasnet-keras export --checkpoint_path=runs/digits --output_dir=exported --format=onnx,openvino

Each is compared with the network on real pictures before it appears: those of --check_images, by
default the run's samples. Images go in preprocessed, or with --preprocessing_inside as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from nasnet_keras.programs.command_line import import_keras_quietly, muted_standard_error
from nasnet_keras.programs.program import Program
from nasnet_keras.programs.repository_flags import RepositoryFlags
from nasnet_keras.settings import MOST_SIDE, Count, NonNegative, Settings
from nasnet_keras.text.plain_text import say


@dataclass(frozen=True, kw_only=True)
class Flags(Settings):
    """What is exported where, in which formats, and compared on what.

    Attributes:
        checkpoint_path: A run directory, a .keras file, or published weights with their network:
            imagenet:nasnet_mobile.
        output_dir: Where to write.
        format: saved_model, onnx, openvino, litert, or some of them.
        precision: In what the files compute; saved_model has float32 only, and bfloat16 is
            OpenVINO's.
        calibration_dir: int8: Images to calibrate on. Default: of the split that was trained on.
        evaluation_dir: int8: Folders of images, named by class, to score on. Default: the run's
            evaluation split.
        dataset_dir: int8: Directory of the run's dataset; not needed for digits.
        max_accuracy_loss: int8: Points of top-1 accuracy that may be lost.
        full_int8: int8: Of litert, activations too, for accelerators; slower on a processor.
        preprocessing_inside: Take images of any size, uint8, and resize and scale them in the file.
        check_images: Images or folders to compare on. Default: the run's samples, or two
            photographs from scikit-learn.
        max_check_images: Maximum number of these.
        top_k: Classes that a SavedModel's serve_bytes returns.
        image_size: Side of the images, for a network that takes any size.
        preprocessing_name: How pixels are scaled to the network's range. Default: the run's.
        exif_orientation: Turn photographs upright, as their EXIF orientation says. Default: as in
            training.
        overwrite: Replace what is in the output directory.
    """

    _most: ClassVar[dict[str, int]] = {"image_size": MOST_SIDE}

    checkpoint_path: str
    output_dir: str
    format: tuple[Literal["saved_model", "onnx", "openvino", "litert"], ...] = ("saved_model",)
    precision: Literal["float32", "float16", "bfloat16", "int8"] = "float32"
    calibration_dir: str | None = None
    evaluation_dir: str | None = None
    dataset_dir: str | None = None
    max_accuracy_loss: NonNegative = 1.0
    full_int8: bool = False
    preprocessing_inside: bool = False
    check_images: tuple[str, ...] = ()
    max_check_images: Count = 20
    top_k: Count = 5
    image_size: Count | None = None
    preprocessing_name: str | None = None
    exif_orientation: bool | None = None
    overwrite: bool = False


def main(flags: Flags, repository: RepositoryFlags) -> None:
    import_keras_quietly()
    from nasnet_keras.classification.trained_model import load_trained_model
    from nasnet_keras.export.check_pictures import check_pictures
    from nasnet_keras.export.classifier_description import known_accuracy
    from nasnet_keras.export.classifier_formats import check_export, export_classifier
    from nasnet_keras.export.classifier_writers import CLASSIFIER_FORMATS
    from nasnet_keras.export.network_kind import check_is_classifier
    from nasnet_keras.export.quantization import quantization_pictures

    check_export(
        *(flags.output_dir, flags.format, flags.precision, flags.overwrite),
        flags.preprocessing_inside,
    )
    check_is_classifier(flags.checkpoint_path)
    repository.check(flags.checkpoint_path, flags.format, flags.overwrite)
    trained = load_trained_model(
        flags.checkpoint_path,
        flags.image_size,
        flags.preprocessing_name,
        exif_orientation=flags.exif_orientation,
    )
    pictures = check_pictures(
        flags.checkpoint_path, flags.check_images, flags.max_check_images, trained.exif_orientation
    )
    quantization = None
    if flags.precision == "int8":
        quantization = quantization_pictures(
            *(trained, flags.calibration_dir, flags.evaluation_dir, flags.dataset_dir),
            flags.max_accuracy_loss,
        )
    # TensorFlow's converters print much that is irrelevant.
    with muted_standard_error():
        compared = export_classifier(
            trained,
            flags.output_dir,
            flags.format,
            pictures,
            flags.precision,
            flags.preprocessing_inside,
            flags.top_k,
            flags.overwrite,
            known_accuracy(flags.checkpoint_path),
            quantization,
            flags.max_accuracy_loss,
            flags.full_int8,
        )
    say(f"wrote {flags.output_dir} in {flags.precision}; largest differences from the network:")
    for name, comparison in compared.items():
        say(f"  {name}: {comparison}")
    written = {
        name: Path(flags.output_dir, CLASSIFIER_FORMATS[name].files[0]) for name in flags.format
    }
    repository.add(written, flags.checkpoint_path, flags.overwrite)


PROGRAM = Program(main, (Flags, RepositoryFlags))
