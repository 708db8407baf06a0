"""A trained network sent to the Hugging Face Hub."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import keras

from nasnet_keras.hub.address import repository_of
from nasnet_keras.hub.client import hub_client
from nasnet_keras.hub.download import SETTINGS_NAME
from nasnet_keras.hub.upload import upload
from nasnet_keras.publishing.model_card import model_card
from nasnet_keras.publishing.publication import Publication, publication_of
from nasnet_keras.settings import write_settings
from nasnet_keras.training.saved_network import load_model


def push_to_hub(
    run_or_model: str | os.PathLike[str] | keras.Model,
    repository: str,
    license: str | None = None,
    private: bool = False,
    message: str = "Network and model card",
) -> str:
    """Sends a trained network to a repository on the Hugging Face Hub, in one commit.

    The repository has it as Keras lays out a network, so that `keras.saving.load_model` reads it
    too where `nasnet_keras` is imported; without the optimizer, and with the moving averages where
    the run kept those. Beside it are the run's settings in `nasnet_keras.json`, the run's pictures,
    and a model card in `README.md`. What the repository has of other names stays.

    Args:
        run_or_model: A run directory or `.keras` file, or a network of this package.
        repository: `"owner/name"`; made if it is not there.
        license: What others may do with the weights, as the Hub abbreviates licences, e.g.
            `"apache-2.0"`. Default: the card says that nothing is stated.
        private: Whether a repository that is made is private.
        message: Of the commit.

    Returns:
        The address of the repository's page.

    Raises:
        OSError: There is no such file, or the Hub cannot be reached or does not allow it.
        ValueError: `huggingface_hub` is missing, or an argument is no network or no repository.
    """
    repository = repository_of(repository)
    hub_client()
    publication = publication_of(run_or_model)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "repository")
        write_repository(publication, folder, repository, license)
        return upload(folder, repository, message, private)


def write_repository(
    publication: Publication, folder: Path, repository: str, license: str | None = None
) -> None:
    """Writes the files of a repository.

    Args:
        publication: What is published.
        folder: Where to; it is made.
        repository: `"owner/name"`, for the card.
        license: As in `push_to_hub`.

    Raises:
        ValueError: The network cannot be read again.
    """
    _without_optimizer(publication.model).save(folder, zipped=False)
    if publication.config is not None:
        write_settings(publication.config, folder / SETTINGS_NAME)
    for picture in publication.pictures:
        shutil.copyfile(picture, folder / picture.name)
    card = model_card(publication, repository, license)
    (folder / "README.md").write_text(card, encoding="utf-8")


def _without_optimizer(model: Any) -> keras.Model:
    """Returns a copy that is not compiled, read as those who download it read it."""
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary, "model.keras")
        model.save(path)
        return load_model(path, compile=False)
