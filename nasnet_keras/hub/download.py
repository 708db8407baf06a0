"""A network of the Hub, in the cache of this machine."""

from __future__ import annotations

from pathlib import Path

import nasnet_keras
from nasnet_keras.hub.address import PREFIX, repository_of
from nasnet_keras.hub.client import hub_client, hub_errors
from nasnet_keras.weights.keras_archive import UNPACKED_NAMES, is_unpacked

SETTINGS_NAME = "nasnet_keras.json"
"""The settings of the run that a network on the Hub is of; Keras has its own in `config.json`."""
_PACKED_NAME = "model.keras"


def download_network(address: str) -> Path:
    """Brings a network here, unless it is here already; nothing but it and its settings is fetched.

    Args:
        address: `"hf://owner/name"`.

    Returns:
        What `load_keras_model` reads: the folder of its files in the library's cache, where
        `nasnet_keras.json` is too if the repository has one; or the `model.keras` in that folder.

    Raises:
        OSError: There is no such repository, the Hub cannot be reached, or the disk is full.
        ValueError: It is no address, `huggingface_hub` is missing, or the repository has no network
            of Keras.
    """
    repository = repository_of(address)
    client = hub_client()
    names = [*UNPACKED_NAMES, SETTINGS_NAME, _PACKED_NAME]
    with hub_errors(repository):
        folder = Path(
            client.snapshot_download(
                repository,
                allow_patterns=names,
                library_name="nasnet_keras",
                library_version=nasnet_keras.__version__,
            )
        )
    if is_unpacked(folder):
        return folder
    if (folder / _PACKED_NAME).is_file():
        return folder / _PACKED_NAME
    raise ValueError(
        f"{PREFIX}{repository} has no network of Keras: neither {', '.join(UNPACKED_NAMES)} nor "
        f"{_PACKED_NAME}"
    )
