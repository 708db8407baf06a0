"""Writes a trained image classifier as a SavedModel with two signatures.

  python export/export_saved_model.py --checkpoint_path=runs/digits --output_dir=saved_model

serving_default takes float images as the network takes them; serve_bytes takes PNG or JPEG files
and names the best classes. Their answers are compared with the network's before the directory
appears.
"""

from absl import flags

from nasnet_keras.programs.command_line import import_keras_quietly, run

_CHECKPOINT_PATH = flags.DEFINE_string(
    "checkpoint_path", None, "A run directory, or a .keras file."
)
_OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "Where to write the SavedModel.")
_TOP_K = flags.DEFINE_integer("top_k", 5, "Classes that serve_bytes names.", lower_bound=1)
_OVERWRITE = flags.DEFINE_bool("overwrite", False, "Replace what is in the output directory.")
_IMAGE_SIZE = flags.DEFINE_integer(
    "image_size", None, "Side of the images, for a network that takes any.", lower_bound=1
)
_PREPROCESSING = flags.DEFINE_string(
    "preprocessing_name", None, "How pixels are brought to the network's range. Default: the run's."
)


def main(arguments: list[str]) -> None:
    checkpoint_path, output_dir = _CHECKPOINT_PATH.value, _OUTPUT_DIR.value
    if not checkpoint_path:
        raise ValueError("--checkpoint_path is missing: name a run directory or a .keras file")
    if not output_dir:
        raise ValueError("--output_dir is missing: name the directory to write")
    import_keras_quietly()
    from nasnet_keras.classification.trained_model import load_trained_model
    from nasnet_keras.export import export_saved_model
    from nasnet_keras.export.saved_model import check_output_directory

    check_output_directory(output_dir, _OVERWRITE.value)
    trained = load_trained_model(checkpoint_path, _IMAGE_SIZE.value, _PREPROCESSING.value)
    difference = export_saved_model(trained, output_dir, _TOP_K.value, _OVERWRITE.value)
    print(
        f"wrote {output_dir}: serving_default (images of {trained.image_size} pixels a side) and "
        f"serve_bytes; largest difference from the network {difference:.1e}"
    )


if __name__ == "__main__":
    run(main)
