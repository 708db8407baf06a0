"""The page on a port of this machine."""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

from nasnet_keras.demo.page import STYLE, gradio

_MOST_BYTES = 100 << 20


@contextlib.contextmanager
def served(make_page: Callable[[], Any], host: str, port: int) -> Iterator[str]:
    """Serves a page within the block, to nobody but those who reach the port.

    What is sent to it lies in a temporary directory, which is removed at the end.

    Args:
        make_page: Returns the page, see `build_page`.
        host: The address to listen on; `"127.0.0.1"` is for this machine alone, `"0.0.0.0"` for all
            that can reach it.
        port: The port.

    Yields:
        The page's address.

    Raises:
        ValueError: The port is in use, or the address is none of this machine.
    """
    check_port(host, port)
    gr = gradio()
    with tempfile.TemporaryDirectory() as uploads:
        # Where the page's own pictures lie too, from when it is made.
        os.environ["GRADIO_TEMP_DIR"] = uploads
        page = make_page()
        try:
            _, address, _ = page.launch(
                server_name=host,
                server_port=port,
                share=False,
                ssr_mode=False,
                quiet=True,
                prevent_thread_lock=True,
                max_file_size=_MOST_BYTES,
                footer_links=[],
                css=STYLE,
                # No fonts of other servers.
                theme=gr.themes.Default(
                    font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]
                ),
            )
            yield address
        finally:
            page.close(verbose=False)
            os.environ.pop("GRADIO_TEMP_DIR")


def check_port(host: str, port: int) -> None:
    """Refuses a port that cannot be listened on, before a network is loaded.

    Raises:
        ValueError: It is in use, or the address is none of this machine.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # As the server does, which may follow another one at once.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        reason = error.strerror or str(error)
        raise ValueError(f"cannot listen on port {port} of {host}: {reason}") from None
