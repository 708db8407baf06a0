"""What a stranger needs to know of an exported file, and where in the file it stands.

One JSON text under the key `nasnet_keras`: in ONNX's `metadata_props`, OpenVINO's `rt_info`, a
metadata buffer of LiteRT, and beside a SavedModel's graph in `assets.extra/nasnet_keras.json`. So
that each file is enough by itself.
"""

from __future__ import annotations

import json
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import nasnet_keras
from nasnet_keras.export.graph.onnx_builder import EXTRA
from nasnet_keras.export.graph.onnx_session import open_onnx
from nasnet_keras.export.graph.openvino_writer import read_openvino
from nasnet_keras.files.input_files import check_file, read_file
from nasnet_keras.files.json_text import parse_json
from nasnet_keras.settings import Count, Fraction, Settings, hints

KEY = "nasnet_keras"
_SAVED_MODEL_FILE = Path("assets.extra", f"{KEY}.json")
_LITERT_IDENTIFIER = b"TFL3"
_FORMATS = {".onnx": "onnx", ".xml": "openvino", ".tflite": "litert"}
"""By suffix."""

FilePrecision = Literal["float32", "float16", "bfloat16", "int8"]


@dataclass(frozen=True, kw_only=True)
class FileDescription(Settings):
    """A network in a file, and how pictures reach it.

    Attributes:
        kind: What it finds: a class for each picture, or boxes in it.
        network: Its name.
        class_names: Names of its classes, in the order of its outputs or labels.
        image_size: Height and width of the images that it takes; of a detector those it was
            trained for.
        preprocessing: How pixels in [0, 255] are resized and scaled to what it takes, see
            `nasnet_keras.data.preprocessing`; of a detector "stretch" or "pad", see `keep_aspect`
            of `TrainedDetector`, and nothing is scaled.
        preprocessing_inside: Whether it does that itself, from an image of any size, uint8.
        exif_orientation: Whether pictures were turned upright by their EXIF orientation first.
        inputs: Names of its inputs, in their order.
        outputs: Names of its outputs, in their order.
        batch: Images that it takes at once; `None`: any number.
        precision: In what it computes; of "int8" the accumulators are wider.
        version: Of nasnet_keras, when it was written.
        accuracy: Top-1 accuracy of the network that it was made from, `None` if not known.
        accuracy_of_file: That of the file itself, where it was scored.
        scored_on: What on, e.g. "digits, test, 360 images".
        category_ids: Of a detector, the ids that the dataset's own files use for the classes.
    """

    called = "a description of an exported network"

    kind: Literal["classifier", "detector"]
    network: str
    class_names: tuple[str, ...]
    image_size: tuple[Count, Count]
    preprocessing: str
    preprocessing_inside: bool = False
    exif_orientation: bool = True
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    batch: Count | None = None
    precision: FilePrecision = "float32"
    version: str = nasnet_keras.__version__
    accuracy: Fraction | None = None
    accuracy_of_file: Fraction | None = None
    scored_on: str | None = None
    category_ids: tuple[int, ...] = ()

    # Its name for JSON, which says of a file what it is without this package.
    _format: ClassVar[str] = "nasnet_keras file description"

    def to_json(self) -> str:
        """Returns it as one line of ASCII, which every format keeps as it is."""
        return json.dumps({"format": self._format, **self.to_dict()})

    @classmethod
    def from_json(cls, text: str | bytes) -> FileDescription:
        """Reads what `to_json` returned; what a later version added is left out.

        Raises:
            ValueError: It is something else.
        """
        data = parse_json(text)
        if not isinstance(data, dict) or data.get("format") != cls._format:
            raise ValueError(f"it is no {cls._format}")
        return cls.from_dict({name: value for name, value in data.items() if name in hints(cls)})


def describe_onnx(model: Any, description: FileDescription) -> None:
    """Writes a description into an `onnx.ModelProto`, in the place of another."""
    kept = [entry for entry in model.metadata_props if entry.key != KEY]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    entry = model.metadata_props.add()
    entry.key, entry.value = KEY, description.to_json()


def describe_openvino(model: Any, description: FileDescription) -> None:
    """Writes a description into an `openvino.Model`, before it is saved."""
    model.set_rt_info(description.to_json(), [KEY])


def describe_litert(content: bytes, description: FileDescription) -> bytes:
    """Returns a LiteRT file with a description, in the place of another.

    Args:
        content: What TensorFlow's converter wrote.
        description: The description.
    """
    # As the converter itself adds what it says of a file.
    from tensorflow.lite.python import schema_py_generated as schema
    from tensorflow.lite.tools import flatbuffer_utils

    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    model.metadata = [entry for entry in model.metadata or [] if entry.name != KEY.encode()]
    entry, buffer = schema.MetadataT(), schema.BufferT()
    entry.name, entry.buffer = KEY, len(model.buffers)
    buffer.data = list(description.to_json().encode())
    model.metadata.append(entry)
    model.buffers.append(buffer)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def describe_saved_model(directory: str | os.PathLike[str], description: FileDescription) -> None:
    """Writes a description into a SavedModel that is not in its place yet.

    Raises:
        OSError: It cannot be written.
    """
    path = Path(directory) / _SAVED_MODEL_FILE
    path.parent.mkdir(exist_ok=True)
    path.write_text(description.to_json() + "\n", encoding="ascii")


def format_of(path: str | os.PathLike[str]) -> str | None:
    """Returns the format of an exported file: a name from `RUNTIMES`, `None` if it is none.

    Args:
        path: See `read_description`.
    """
    if (Path(path) / "saved_model.pb").is_file():
        return "saved_model"
    return _FORMATS.get(Path(path).suffix)


def read_description(path: str | os.PathLike[str]) -> FileDescription:
    """Reads the description of an exported file.

    Args:
        path: `.onnx`, OpenVINO's `.xml`, `.tflite`, or the directory of a SavedModel.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no such file, is damaged, has no description, or its format's library is
            not installed.
    """
    path = Path(path)
    if path.is_dir():
        text = _read_saved_model(path)
    elif file_format := format_of(path):
        check_file(path)
        text = _READERS[file_format](path)
    else:
        known = ", ".join(_FORMATS)
        raise ValueError(f"{path} is no exported file: expected {known}, or a SavedModel")
    if text is None:
        raise ValueError(f"{path} has no description of {KEY}: export it again, or name a run")
    try:
        return FileDescription.from_json(text)
    except ValueError as error:
        raise ValueError(f"{path} has a damaged description of {KEY}: {error}") from None


def _read_saved_model(path: Path) -> bytes | None:
    if not (path / "saved_model.pb").is_file():
        raise ValueError(f"{path} is no SavedModel: it has no saved_model.pb")
    file = path / _SAVED_MODEL_FILE
    return read_file(file) if file.exists() else None


def _read_onnx(path: Path) -> str | None:
    session = open_onnx(path, optimized=False)
    return session.get_modelmeta().custom_metadata_map.get(KEY)


def _read_openvino(path: Path) -> str | None:
    model = read_openvino(path)
    return model.get_rt_info([KEY]).astype(str) if model.has_rt_info([KEY]) else None


def _read_litert(path: Path) -> bytes | None:
    schema = _litert_schema()
    content = read_file(path)
    if content[4:8] != _LITERT_IDENTIFIER:
        raise ValueError(f"{path} is not a LiteRT file")
    try:
        model = schema.Model.GetRootAs(content, 0)
        for place in range(model.MetadataLength()):
            entry = model.Metadata(place)
            if entry.Name() == KEY.encode():
                return model.Buffers(entry.Buffer()).DataAsNumpy().tobytes()
    except (struct.error, IndexError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{path} is not a complete LiteRT file: {error}") from None
    return None


def _litert_schema() -> Any:
    """Returns the classes of the file format, from whichever library is there."""
    try:
        from ai_edge_litert import schema_py_generated
    except ImportError:
        try:
            from tensorflow.lite.python import schema_py_generated
        except ImportError as error:
            raise ValueError(f"LiteRT needs ai_edge_litert: {EXTRA}") from error
    return schema_py_generated


_READERS = {"onnx": _read_onnx, "openvino": _read_openvino, "litert": _read_litert}
