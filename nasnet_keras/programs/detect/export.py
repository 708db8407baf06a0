"""Writes a trained detector as SavedModel, ONNX and LiteRT.

  nasnet-keras detect export --checkpoint_path=runs/det --output_dir=exported

Each is compared with the detector on real images before it appears: --check_images names files or
folders, by default two photographs from scikit-learn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nasnet_keras.programs.command_line import import_keras_quietly, muted_standard_error
from nasnet_keras.programs.program import Program
from nasnet_keras.settings import Count, Settings


@dataclass(frozen=True)
class Flags(Settings):
    """What is exported where, and compared on what.

    Attributes:
        checkpoint_path: A detector's run directory, or a .keras file.
        output_dir: Where to write.
        formats: saved_model, onnx, litert, or some of them.
        check_images: Images or folders to compare on.
        max_check_images: Maximum number of these.
        class_names: File with the class names, one a line. Default: the run's.
        keep_aspect: Pad images instead of stretching them. Default: as in training.
        evaluation_proposals: Proposals in an image. Default: the detector's.
        overwrite: Replace what is in the output directory.
    """

    checkpoint_path: str
    output_dir: str
    formats: tuple[Literal["saved_model", "onnx", "litert"], ...] = (
        "saved_model",
        "onnx",
        "litert",
    )
    check_images: tuple[str, ...] = ()
    max_check_images: Count = 20
    class_names: str | None = None
    keep_aspect: bool | None = None
    evaluation_proposals: Count | None = None
    overwrite: bool = False


def main(flags: Flags) -> None:
    import_keras_quietly()
    from nasnet_keras.detection.inference.picture_files import find_pictures, sample_pictures
    from nasnet_keras.detection.inference.predictor import read_pixels
    from nasnet_keras.detection.inference.trained_detector import (
        load_trained_detector,
        read_class_names,
    )
    from nasnet_keras.export.detector_formats import check_export_directory, export_detector

    check_export_directory(flags.output_dir, flags.formats, flags.overwrite)
    if flags.check_images:
        files = find_pictures(flags.check_images)[: flags.max_check_images]
        pictures = []
        for file in files:
            try:
                pictures.append(read_pixels(file))
            except ValueError as error:
                raise ValueError(f"{file}: {error}") from error
    else:
        pictures = sample_pictures()[: flags.max_check_images]
    names = read_class_names(flags.class_names) if flags.class_names else None
    served = load_trained_detector(
        flags.checkpoint_path, names, flags.keep_aspect, flags.evaluation_proposals
    )
    # TensorFlow's converters print much that is irrelevant.
    with muted_standard_error():
        compared = export_detector(
            served, flags.output_dir, flags.formats, pictures, flags.overwrite
        )
    print(f"wrote {flags.output_dir}; compared on {len(pictures)} pictures")
    for name, comparison in compared.items():
        print(f"  {name}: {comparison}")


PROGRAM = Program(main, (Flags,))
