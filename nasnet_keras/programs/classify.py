"""Says what is in pictures.

  python classify_image.py --model=runs/digits runs/digits/samples/*.png

--model is a run directory, a .keras file or the directory that export_saved_model.py wrote. A file
that is no image is reported and the others are classified; the exit code is then 2.
"""

import sys

from absl import flags

from nasnet_keras.programs.command_line import USAGE_ERROR, import_keras_quietly, one_line, run

_MODEL = flags.DEFINE_string("model", None, "A run directory, a .keras file, or a SavedModel.")
_TOP_K = flags.DEFINE_integer("top_k", 3, "Classes to name for each file.", lower_bound=1)
_IMAGE_SIZE = flags.DEFINE_integer(
    "image_size", None, "Side of the images, for a network that takes any.", lower_bound=1
)
_PREPROCESSING = flags.DEFINE_string(
    "preprocessing_name", None, "How pixels are brought to the network's range."
)


def main(arguments: list[str]) -> int:
    if not _MODEL.value:
        raise ValueError("--model is missing: name a run directory, a .keras file or a SavedModel")
    if not arguments:
        raise ValueError("no image given: name one or more files")
    import_keras_quietly()
    from rich.console import Console
    from rich.table import Table

    from nasnet_keras.classification.classifier import load_classifier

    classifier = load_classifier(
        _MODEL.value, _TOP_K.value, _IMAGE_SIZE.value, _PREPROCESSING.value
    )
    table = Table()
    table.add_column("file", overflow="fold")
    table.add_column("class", overflow="fold")
    table.add_column("score", justify="right")
    errors = 0
    for file in arguments:
        try:
            with open(file, "rb") as stream:
                answer = classifier.classify(stream.read())
        except OSError as error:
            print(f"error: {one_line(error)}", file=sys.stderr)
            errors += 1
        except ValueError as error:
            print(f"error: {file}: {one_line(error)}", file=sys.stderr)
            errors += 1
        else:
            names = "\n".join(name for name, _ in answer)
            table.add_row(file, names, "\n".join(f"{score:.2%}" for _, score in answer))
    if table.row_count:
        Console().print(table)
    return USAGE_ERROR if errors else 0


if __name__ == "__main__":
    run(main, arguments="FILE...")
