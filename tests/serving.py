"""A served application for programs that come over HTTP: Ansible, the inventory script, the command line."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from craton_inv.app import create_app
from craton_inv.settings import Settings

PATIENCE_S = 30.0


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """The application on a free port of loopback while the block runs; its address."""
    config = uvicorn.Config(create_app(settings), host="127.0.0.1", port=0, log_level="warning", timeout_keep_alive=75)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("The application did not start.")
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
