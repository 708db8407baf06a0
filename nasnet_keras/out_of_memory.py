"""Out of memory: whose words say so, and what to do about it."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from typing import Any

# TensorFlow, its GPU libraries, XLA and JAX.
_WORDS = (
    *("OOM when allocating", "out of memory", "RESOURCE_EXHAUSTED", "failed to allocate"),
    *("Unable to allocate", "CUDNN_STATUS_ALLOC_FAILED", "OUT_OF_MEMORY", "std::bad_alloc"),
)


class OutOfMemory(MemoryError):
    """The memory does not suffice; the message says for what, and what to lower."""


def is_out_of_memory(error: BaseException) -> bool:
    """Returns whether an error says that memory, of the machine or of a device, did not suffice."""
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    if isinstance(error, ValueError):
        return False
    text = str(error).casefold()
    return any(words.casefold() in text for words in _WORDS)


@contextlib.contextmanager
def memory_for(**settings: Any) -> Iterator[None]:
    """Within the block, an error says for what the memory did not suffice.

    Args:
        **settings: What the memory depends on, e.g. `batch_size=32, train_image_size=331`.

    Raises:
        OutOfMemory: The memory did not suffice.
    """
    try:
        yield
    except OutOfMemory:
        raise
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        given = ", ".join(f"{name}={value}" for name, value in settings.items())
        raise OutOfMemory(f"out of memory with {given}: lower one of them") from error
