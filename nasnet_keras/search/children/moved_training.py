"""A training that was cut off and whose directory has moved since."""

from __future__ import annotations

import json
from pathlib import Path

from nasnet_keras.whole_files import written_whole


def follow_genotype(directory: Path, genotype: str) -> None:
    """Tells a training where its genotype is now, so that it goes on.

    A run knows its genotype by the file's name, and takes another name for another run.

    Args:
        directory: Of the training; it need not exist.
        genotype: The genotype's file.

    Raises:
        OSError: The run's configuration cannot be read or written.
        ValueError: It is damaged.
    """
    from nasnet_keras.classification.trained_model import read_config
    from nasnet_keras.training.run_directory import CONFIG_NAME

    config = read_config(directory)
    if config and config["recipe"].get("genotype") != genotype:
        config["recipe"]["genotype"] = genotype
        with written_whole(directory / CONFIG_NAME) as path:
            path.write_text(json.dumps(config, indent=2) + "\n")
