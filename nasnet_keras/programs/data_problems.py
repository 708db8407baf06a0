"""Every problem of a dataset on a line of its own, and then the line that ends the program."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from nasnet_keras.text.plain_text import line


@contextlib.contextmanager
def problems_listed(dataset_dir: str | None) -> Iterator[None]:
    """Prints the problems that an error within the block carries, and raises a short one.

    Args:
        dataset_dir: Where the dataset is.

    Raises:
        ValueError: In place of an error with `problems`: how many there are.
    """
    try:
        yield
    except ValueError as error:
        problems = getattr(error, "problems", ())
        if not problems:
            raise
        for problem in problems:
            print(line(problem), file=sys.stderr)
        raise ValueError(
            f"{len(problems)} annotations or images of {dataset_dir} are invalid, see above; "
            "--drop_invalid skips them"
        ) from error
