"""Small networks and files in place of the published ones, under their names and addresses."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nasnet_keras as nk
from nasnet_keras.detection.configuration import configs
from nasnet_keras.detection.weights.detector_names import detector_variables
from nasnet_keras.models.presets import PRESETS
from nasnet_keras.weights import catalogue, imagenet_classes
from nasnet_keras.weights.catalogue import COCO, IMAGENET, SLIM, TIMM, PublishedWeights
from nasnet_keras.weights.keras_applications import keras_layer_name
from nasnet_keras.weights.slim_names import network_variables, slim_name
from nasnet_keras.weights.timm_weights import timm_name
from tests.detection_network import tiny_config
from tests.golden_network import golden_value
from tests.weights.checkpoints import write_archive

NETWORKS = ("nasnet_mobile", "nasnet_large", "pnasnet_mobile", "pnasnet_large")
DETECTORS = ("nasnet_large_1200", "nasnet_large_1200_lowproposals")
DOG = 18
"""The one of COCO's ids that the detectors find, and nothing else."""


CLASSES = tuple(f"thing_{number}" for number in range(1000))
"""In place of ImageNet's."""


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextlib.contextmanager
def serve_folder(folder: Path) -> Iterator[str]:
    """Serves the files of a folder on this machine; yields the address of the folder."""
    handler = functools.partial(_Handler, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def stand_ins(folder: Path) -> Iterator[None]:
    """Within the block, published networks and detectors are small, and a local server has them.

    Args:
        folder: Where the server's files are written. Keras's cache directory is beside it.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in NETWORKS:
            preset = PRESETS[name]
            config = preset.config.replace(num_cells=3, filters=8, stem_filters=6, dropout=0.0)
            small = dataclasses.replace(preset, config=config, image_size=96)
            patch.setitem(PRESETS, name, small)
        for name in DETECTORS:
            original = configs.get_config(name)
            config = dataclasses.replace(original, detector=tiny_config())
            patch.setitem(configs._CONFIGS, name, lambda config=config: config)
        folder.mkdir()
        for entry in catalogue.PUBLISHED:
            _write(entry, folder / entry.file)
        classes = {label: [f"n{label}", name] for label, name in enumerate(CLASSES)}
        (folder / imagenet_classes._NAME).write_text(json.dumps(classes))
        patch.setenv("KERAS_HOME", str(folder.parent / "keras"))
        for proxy in ("http_proxy", "HTTP_PROXY"):
            patch.delenv(proxy, raising=False)
        with serve_folder(folder) as address:
            table = [
                dataclasses.replace(entry, url=f"{address}/{entry.file}", md5=None)
                for entry in catalogue.PUBLISHED
            ]
            patch.setattr(catalogue, "PUBLISHED", table)
            patch.setattr(imagenet_classes, "_URL", f"{address}/{imagenet_classes._NAME}")
            patch.setattr(imagenet_classes, "_MD5", None)
            yield


def network_values(name: str, classes: int) -> dict[str, np.ndarray]:
    """Returns golden weights of a small network with its auxiliary head, by path."""
    model = nk.create_model(name, classes, auxiliary_head=True)
    return {
        path: golden_value(slim_name(path), tuple(variable.shape))
        for path, variable in network_variables(model).items()
    }


def detector_values() -> dict[str, np.ndarray]:
    """Returns golden weights of a small detector that takes everything for a dog."""
    variables = detector_variables(nk.FasterRCNN(tiny_config(classes=90)))
    values = {name: golden_value(name, tuple(v.shape)) for name, v in variables.items()}
    values["SecondStageBoxPredictor/ClassPredictor/biases"][DOG] = 50.0
    return values


def _write(entry: PublishedWeights, path: Path) -> None:
    if path.exists():
        return
    if entry.name == COCO:
        write_archive(path, detector_values(), folder=f"{path.name.removesuffix('.tar.gz')}/")
    elif entry.file.endswith(".tar.gz"):
        values = network_values(entry.model, 1001)
        averages = {
            f"{slim_name(p)}/ExponentialMovingAverage": value for p, value in values.items()
        }
        raw = {slim_name(p): value + 1 for p, value in values.items()}
        write_archive(path, raw | averages | {"global_step": np.int64(1)})
    elif entry.name == TIMM:
        _write_timm(entry, path)
    else:
        assert entry.name == IMAGENET and entry.name != SLIM
        _write_keras(entry, path)


def _write_timm(entry: PublishedWeights, path: Path) -> None:
    from safetensors.numpy import save_file

    tensors = {}
    for name, value in network_values(entry.model, 1000).items():
        if not name.startswith("aux_"):
            if name.endswith("depthwise_kernel"):
                value = value.transpose(2, 3, 0, 1)
            else:
                value = value.transpose(3, 2, 0, 1) if value.ndim == 4 else value.T
            name = timm_name(name, entry.model.startswith("pnasnet"))
            tensors[name] = np.ascontiguousarray(value)
    save_file(tensors, path)


def _write_keras(entry: PublishedWeights, path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        for name, value in network_values(entry.model, 1000).items():
            scope, _, word = name.rpartition("/")
            skipped = ("aux_",) if entry.include_top else ("aux_", "final_layer")
            if not name.startswith(skipped):
                layer = keras_layer_name(scope, 1)
                file[f"{layer}/{layer}/{word}:0"] = value
