"""Writes a trained detector as SavedModel, ONNX and LiteRT.

  python object_detection/export.py --checkpoint_path=runs/det --output_dir=exported

Each is compared with the detector on real pictures before it appears: --check_images names files or
folders, by default two photographs that scikit-learn has.
"""

from absl import flags

from nasnet_keras.programs.command_line import import_keras_quietly, muted_standard_error, run

_CHECKPOINT_PATH = flags.DEFINE_string(
    "checkpoint_path", None, "A detector's run directory, or a .keras file."
)
_OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "Where to write.")
_FORMATS = flags.DEFINE_list(
    "formats", ["saved_model", "onnx", "litert"], "saved_model, onnx, litert, or some of them."
)
_CHECK_IMAGES = flags.DEFINE_list("check_images", [], "Pictures or folders to compare on.")
_MAX_CHECK_IMAGES = flags.DEFINE_integer(
    "max_check_images", 20, "How many of them at most.", lower_bound=1
)
_CLASS_NAMES = flags.DEFINE_string(
    "class_names", None, "File with the names of the classes, one a line. Default: the run's."
)
_KEEP_ASPECT = flags.DEFINE_bool(
    "keep_aspect", None, "Pad pictures instead of stretching them. Default: as in training."
)
_PROPOSALS = flags.DEFINE_integer(
    "evaluation_proposals", None, "Proposals looked at in an image. Default: the detector's."
)
_OVERWRITE = flags.DEFINE_bool("overwrite", False, "Replace what is in the output directory.")


def main(arguments: list[str]) -> None:
    if not _CHECKPOINT_PATH.value:
        raise ValueError("--checkpoint_path is missing: name a run directory or a .keras file")
    if not _OUTPUT_DIR.value:
        raise ValueError("--output_dir is missing: name the directory to write")
    import_keras_quietly()
    from nasnet_keras.detection.inference.picture_files import find_pictures, sample_pictures
    from nasnet_keras.detection.inference.predictor import read_pixels
    from nasnet_keras.detection.inference.trained_detector import (
        load_trained_detector,
        read_class_names,
    )
    from nasnet_keras.export.detector_formats import check_export_directory, export_detector

    check_export_directory(_OUTPUT_DIR.value, _FORMATS.value, _OVERWRITE.value)
    if _CHECK_IMAGES.value:
        files = find_pictures(_CHECK_IMAGES.value)[: _MAX_CHECK_IMAGES.value]
        pictures = []
        for file in files:
            try:
                pictures.append(read_pixels(file))
            except ValueError as error:
                raise ValueError(f"{file}: {error}") from error
    else:
        pictures = sample_pictures()[: _MAX_CHECK_IMAGES.value]
    names = read_class_names(_CLASS_NAMES.value) if _CLASS_NAMES.value else None
    served = load_trained_detector(
        _CHECKPOINT_PATH.value, names, _KEEP_ASPECT.value, _PROPOSALS.value
    )
    # TensorFlow's converters say much that concerns nobody.
    with muted_standard_error():
        compared = export_detector(
            served, _OUTPUT_DIR.value, _FORMATS.value, pictures, _OVERWRITE.value
        )
    print(f"wrote {_OUTPUT_DIR.value}; compared on {len(pictures)} pictures")
    for name, comparison in compared.items():
        print(f"  {name}: {comparison}")


if __name__ == "__main__":
    run(main)
