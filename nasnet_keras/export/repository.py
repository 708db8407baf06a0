"""A model repository: what MLServer, Triton and others start from.

DIR/settings.json                 MLServer's own settings, for all models
DIR/NAME/model-settings.json      MLServer: `nasnet_keras.serving.Runtime` and its file
DIR/NAME/config.pbtxt             Triton: ONNX Runtime and the file's tensors; of ONNX only
DIR/NAME/labels.txt               names of the classes, one a line
DIR/NAME/VERSION/model.onnx       or OpenVINO's model.xml and model.bin, or model.tflite
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nasnet_keras.export.description import FileDescription, format_of, read_description
from nasnet_keras.export.graph.onnx_session import open_onnx
from nasnet_keras.files.atomic_files import atomic_write, check_can_write
from nasnet_keras.files.directory_lock import locked_output
from nasnet_keras.text.plain_text import shown

_FILES: Mapping[str, tuple[str, ...]] = {
    "onnx": ("model.onnx",),
    "openvino": ("model.xml", "model.bin"),
    "litert": ("model.tflite",),
}
"""The files of a version, by format; the first names the others."""
_RUNTIME = "nasnet_keras.serving.Runtime"
# A directory's name, and a part of a URL; a leading dot hides it.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_BATCH = 32
_SETTINGS = {
    # Whoever wants it open to others says so.
    "host": "127.0.0.1",
    # Threads of one process share a network; more processes would each hold one.
    "parallel_workers": 0,
    "debug": False,
    # gRPC's own limit is 4 MiB, less than many a photograph.
    "grpc_max_message_length": 2**26,
}
_TRITON_TYPES = {
    "tensor(float)": "TYPE_FP32",
    "tensor(float16)": "TYPE_FP16",
    "tensor(uint8)": "TYPE_UINT8",
    "tensor(int32)": "TYPE_INT32",
    "tensor(int64)": "TYPE_INT64",
    "tensor(bool)": "TYPE_BOOL",
    "tensor(string)": "TYPE_STRING",
}


def served_format(formats: Sequence[str]) -> str:
    """Returns which of some formats a repository takes: ONNX for most servers, else the first.

    Raises:
        ValueError: None of them.
    """
    for name in ("onnx", *formats):
        if name in formats and name in _FILES:
            return name
    raise ValueError(
        f"a repository holds {', '.join(_FILES)}, none of which is among {', '.join(formats)}"
    )


def check_repository(
    repository: str | os.PathLike[str],
    name: str,
    version: int = 1,
    overwrite: bool = False,
    file_format: str = "onnx",
) -> Path:
    """Raises an error for a place where no model can be added, before any work.

    Args:
        repository: The repository's directory; it need not exist.
        name: The model's name, and its directory's.
        version: The model's version.
        overwrite: Whether to replace this version of this model.
        file_format: See `served_format`.

    Returns:
        The model's directory.

    Raises:
        OSError: It cannot be written to.
        ValueError: The name or version is none, something else or another format is there, or the
            version is.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"a model's name has letters, digits, '_', '-' and '.', got {shown(name)}")
    if version < 1:
        raise ValueError(f"a model's version is at least 1, got {version}")
    target = Path(repository).absolute() / name
    check_can_write(target.parent / "settings.json")
    check_can_write(target, directory=True)
    if not target.exists():
        return target
    try:
        settings = json.loads((target / "model-settings.json").read_text(encoding="utf-8"))
        is_ours = settings["implementation"] == _RUNTIME
    except (OSError, ValueError, TypeError, KeyError):
        is_ours = False
    if not is_ours:
        raise ValueError(f"{target} holds another model: choose another name or repository")
    for other, files in _FILES.items():
        # Triton has one configuration for all versions.
        if other != file_format and any(target.glob(f"*/{files[0]}")):
            raise ValueError(f"{target} holds {other}, not {file_format}: choose another name")
    if (target / str(version)).exists() and not overwrite:
        raise ValueError(
            f"{target} has version {version} already: choose another version, or overwrite it"
        )
    return target


def add_to_repository(
    file: str | os.PathLike[str],
    repository: str | os.PathLike[str],
    name: str,
    version: int = 1,
    overwrite: bool = False,
    top_k: int = 5,
) -> Path:
    """Adds an exported file to a model repository, or a version of a model that is there.

    Servers take the version added last. `settings.json` is left as it is if it is there.

    Args:
        file: ONNX, OpenVINO's XML file or LiteRT, with a description, checked by its export.
        repository: The repository's directory; made if need be.
        name: The model's name.
        version: Its version.
        overwrite: Whether to replace this version of this model.
        top_k: Classes that a classifier names of each picture.

    Returns:
        The model's directory.

    Raises:
        OSError: It cannot be written to, or the file cannot be read.
        ValueError: See `check_repository`; or the file is no such one; or the model that is there
            has other classes.
    """
    file = Path(file)
    description = read_description(file)
    file_format = served_format([str(format_of(file))])
    target = check_repository(repository, name, version, overwrite, file_format)
    with locked_output(target):
        _check_same(target, description)
        if target.exists():
            with atomic_write(target / str(version)) as folder:
                _write_version(file, file_format, folder)
            _write_settings(target, name, version, top_k, file, description)
        else:
            with atomic_write(target) as folder:
                _write_version(file, file_format, folder / str(version))
                _write_settings(folder, name, version, top_k, file, description)
        settings = target.parent / "settings.json"
        if not settings.exists():
            with atomic_write(settings) as temporary:
                temporary.write_text(json.dumps(_SETTINGS, indent=2) + "\n", encoding="utf-8")
    return target


def _check_same(target: Path, description: FileDescription) -> None:
    """Refuses versions of a model that clients could not take for the same."""
    for file in sorted(path for files in _FILES.values() for path in target.glob(f"*/{files[0]}")):
        there = read_description(file)
        if (there.kind, there.class_names) != (description.kind, description.class_names):
            raise ValueError(
                f"{target} holds another model, a {there.kind} of {len(there.class_names)} classes "
                f"({shown(there.class_names[0])}, ...): choose another name or repository"
            )


def _write_version(file: Path, file_format: str, folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in _FILES[file_format]:
        shutil.copyfile(file.with_suffix(Path(name).suffix), folder / name)


def _write_settings(
    target: Path, name: str, version: int, top_k: int, file: Path, description: FileDescription
) -> None:
    file_format = str(format_of(file))
    settings = {
        "name": name,
        "implementation": _RUNTIME,
        "platform": "onnxruntime" if file_format == "onnx" else file_format,
        "parameters": {
            "uri": f"{version}/{_FILES[file_format][0]}",
            "version": str(version),
            "extra": {"top_k": top_k} if description.kind == "classifier" else {},
        },
    }
    texts = {"labels.txt": "".join(f"{name}\n" for name in description.class_names)}
    if file_format == "onnx":
        session = open_onnx(file, optimized=False)
        texts["config.pbtxt"] = _triton_configuration(name, session)
    # The last: what MLServer starts from points to what is there.
    texts["model-settings.json"] = json.dumps(settings, indent=2) + "\n"
    for written, text in texts.items():
        with atomic_write(target / written) as temporary:
            temporary.write_text(text, encoding="utf-8")


def _triton_configuration(name: str, session: Any) -> str:
    tensors = [*session.get_inputs(), *session.get_outputs()]
    # A fixed batch belongs to the shape; any other one is Triton's own dimension.
    batched = all(each.shape and not isinstance(each.shape[0], int) for each in tensors)
    lines = [
        f'name: "{name}"',
        'backend: "onnxruntime"',
        f"max_batch_size: {_BATCH if batched else 0}",
    ]
    for kind, group in (("input", session.get_inputs()), ("output", session.get_outputs())):
        for each in group:
            shape = each.shape[1:] if batched else each.shape
            sides = ", ".join(str(side) if isinstance(side, int) else "-1" for side in shape)
            labels = '  label_filename: "labels.txt"\n' if each.name == "probabilities" else ""
            lines.append(
                f'{kind} {{\n  name: "{each.name}"\n  data_type: {_TRITON_TYPES[each.type]}\n'
                f"  dims: [{sides}]\n{labels}}}"
            )
    if batched:
        lines.append("dynamic_batching {}")
    return "\n".join(lines) + "\n"
