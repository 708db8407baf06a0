"""Writes a trained detector as SavedModel, ONNX, OpenVINO and LiteRT.

  nasnet-keras detect export --checkpoint_path=runs/det --output_dir=exported

Each is compared with the detector on real images before it appears: --check_images names files or
folders, by default two photographs from scikit-learn. --repository=DIR also adds a file to a model
repository, from which servers start.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nasnet_keras.programs.command_line import import_keras_quietly, muted_standard_error
from nasnet_keras.programs.detect.detector_flags import DetectorFlags
from nasnet_keras.programs.program import Program
from nasnet_keras.programs.repository_flags import RepositoryFlags
from nasnet_keras.settings import Count
from nasnet_keras.text.plain_text import say


@dataclass(frozen=True, kw_only=True)
class Flags(DetectorFlags):
    """What is exported where, and compared on what.

    Attributes:
        output_dir: Where to write.
        formats: saved_model, onnx, openvino, litert, or some of them.
        precision: In what the files compute; saved_model and openvino have float32 only, and int8
            is LiteRT's: its weights.
        check_images: Images or folders to compare on.
        max_check_images: Maximum number of these.
        overwrite: Replace what is in the output directory.
    """

    output_dir: str
    formats: tuple[Literal["saved_model", "onnx", "openvino", "litert"], ...] = (
        "saved_model",
        "onnx",
        "litert",
    )
    precision: Literal["float32", "float16", "int8"] = "float32"
    check_images: tuple[str, ...] = ()
    max_check_images: Count = 20
    overwrite: bool = False


def main(flags: Flags, repository: RepositoryFlags) -> None:
    import_keras_quietly()
    from nasnet_keras.detection.inference.picture_files import find_pictures, sample_pictures
    from nasnet_keras.detection.inference.pictures import read_pixels
    from nasnet_keras.export.detector.writers import DETECTOR_FORMATS
    from nasnet_keras.export.detector_formats import check_export_directory, export_detector
    from nasnet_keras.export.network_kind import check_is_detector

    check_export_directory(flags.output_dir, flags.formats, flags.overwrite, flags.precision)
    check_is_detector(flags.checkpoint_path)
    repository.check(flags.checkpoint_path, flags.formats, flags.overwrite)
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
    served = flags.load()
    # TensorFlow's converters print much that is irrelevant.
    with muted_standard_error():
        compared = export_detector(
            *(served, flags.output_dir, flags.formats, pictures, flags.overwrite),
            precision=flags.precision,
        )
    say(f"wrote {flags.output_dir} in {flags.precision}; compared on {len(pictures)} pictures")
    for name, comparison in compared.items():
        say(f"  {name}: {comparison}")
    written = {
        name: Path(flags.output_dir, DETECTOR_FORMATS[name].files[0]) for name in flags.formats
    }
    repository.add(written, flags.checkpoint_path, flags.overwrite)


PROGRAM = Program(main, (Flags, RepositoryFlags))
