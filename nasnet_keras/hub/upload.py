"""A folder that becomes a commit on the Hub."""

from __future__ import annotations

import os

import nasnet_keras
from nasnet_keras.hub.client import hub_client, hub_errors


def upload(
    folder: str | os.PathLike[str], repository: str, message: str, private: bool = False
) -> str:
    """Sends all files of a folder to a repository of models, in one commit: all arrive or none.

    Args:
        folder: The folder.
        repository: `"owner/name"`; made if it is not there.
        message: Of the commit.
        private: Whether a repository that is made is private.

    Returns:
        The address of the repository's page.

    Raises:
        OSError: The Hub cannot be reached or does not allow it.
        ValueError: `huggingface_hub` is missing, or the Hub refuses a file.
    """
    client = hub_client()
    api = client.HfApi(library_name="nasnet_keras", library_version=nasnet_keras.__version__)
    with hub_errors(repository):
        page = api.create_repo(repository, private=private, exist_ok=True)
        api.upload_folder(repo_id=repository, folder_path=folder, commit_message=message)
    return str(page)
