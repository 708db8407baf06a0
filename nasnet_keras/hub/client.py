"""huggingface_hub, and its errors in one line each."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from nasnet_keras.hub.address import PREFIX
from nasnet_keras.weights.assign import first_line

_NOT_ALLOWED = (401, 403)


def hub_client() -> Any:
    """Returns the module `huggingface_hub`.

    Raises:
        ValueError: It is not installed.
    """
    try:
        import huggingface_hub
    except ImportError:
        raise ValueError(
            "the Hugging Face Hub needs huggingface_hub: pip install 'nasnet-keras[hub]'"
        ) from None
    return huggingface_hub


@contextlib.contextmanager
def hub_errors(repository: str) -> Iterator[None]:
    """Says within the block, of the library's errors, which repository they are about and why.

    Raises:
        ConnectionError: The Hub cannot be reached, and what is asked for is not in the cache.
        FileNotFoundError: There is no such repository, or not for whoever asks.
        PermissionError: The token is missing or does not allow it.
        OSError: The Hub answers with another error.
    """
    from huggingface_hub import constants, errors

    address, hub = f"{PREFIX}{repository}", constants.ENDPOINT
    login = "log in by `hf auth login`, or set HF_TOKEN"
    try:
        yield
    except errors.GatedRepoError:
        reason = f"whoever wants it asks for access on its page at {hub}, then: {login}"
        raise PermissionError(13, reason, address) from None
    except errors.RepositoryNotFoundError:
        reason = f"no such repository at {hub}; if it is private, {login}"
        raise FileNotFoundError(2, reason, address) from None
    except errors.LocalTokenNotFoundError:
        raise PermissionError(13, f"{hub} asks who you are: {login}", address) from None
    except errors.HfHubHTTPError as error:
        status = getattr(error.response, "status_code", None)
        if status in _NOT_ALLOWED:
            reason = f"{hub} does not allow it ({status}): {login}, with a token that may write"
            raise PermissionError(13, reason, address) from None
        raise OSError(5, f"{hub} answers: {first_line(error)}", address) from error
    # Connections that fail: the error of the library for HTTP, which is another in each version.
    except (
        errors.LocalEntryNotFoundError,
        errors.OfflineModeIsEnabled,
        errors.HTTPError,  # type: ignore[attr-defined]
    ) as error:
        reason = f"{address}: {hub} cannot be reached, and the cache has no complete copy"
        raise ConnectionError(f"{reason} ({_cause(error)})") from error


def _cause(error: BaseException) -> str:
    """Returns what first went wrong; the library wraps it in advice of many lines."""
    cause = error.__cause__ or error
    return first_line(cause) or type(cause).__name__
