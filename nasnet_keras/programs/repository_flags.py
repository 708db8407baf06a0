"""The flags that add an exported file to a model repository."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nasnet_keras.settings import Count, Settings
from nasnet_keras.text.plain_text import say


@dataclass(frozen=True, kw_only=True)
class RepositoryFlags(Settings):
    """Where servers find what is exported.

    Attributes:
        repository: Add the ONNX file to this model repository too, for MLServer and Triton; if none
            is written the first one of OpenVINO and LiteRT, for MLServer.
        model_name: Its name there. Default: that of the run directory or .keras file.
        model_version: Its version there.
    """

    repository: str | None = None
    model_name: str | None = None
    model_version: Count = 1

    def check(self, checkpoint_path: str, formats: Sequence[str], overwrite: bool) -> None:
        """Refuses what cannot be added, before any work.

        Raises:
            OSError: The repository cannot be written to.
            ValueError: There will be no file for it, or another model is there.
        """
        from nasnet_keras.export.repository import check_repository, served_format

        if self.repository is None:
            return
        check_repository(
            *(self.repository, self._name(checkpoint_path), self.model_version, overwrite),
            served_format(formats),
        )

    def add(
        self, files: Mapping[str, Path], checkpoint_path: str, overwrite: bool, top_k: int = 5
    ) -> None:
        """Adds one of the files, if a repository is given, and says so.

        Args:
            files: What was written, by format.
            checkpoint_path: What it was made from.
            overwrite: See `add_to_repository`.
            top_k: See there.
        """
        from nasnet_keras.export.repository import add_to_repository, served_format

        if self.repository is None:
            return
        file, name = files[served_format(list(files))], self._name(checkpoint_path)
        target = add_to_repository(
            file, self.repository, name, self.model_version, overwrite, top_k
        )
        say(f"added version {self.model_version} to {target}")

    def _name(self, checkpoint_path: str) -> str:
        # Of a published one, e.g. `coco:nasnet_large_1200`, without its collection.
        return self.model_name or Path(checkpoint_path).resolve().stem.rpartition(":")[2]
