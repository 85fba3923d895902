"""Starts the page on this computer, and stops it: Ctrl-C, the button on the page, or the end of the session."""

from __future__ import annotations

import signal
import socket
import sys
import threading
import webbrowser
from types import FrameType
from typing import NoReturn

import uvicorn

from claimscan.errors import UsageError
from claimscan.web.app import application
from claimscan.web.guard import Keys
from claimscan.web.private_folder import remove_leftovers
from claimscan.web.shelf import Shelf
from claimscan.web.worker import Reader

HOST = "127.0.0.1"
PORT = 8765  # where it is free; otherwise any


def serve(port: int | None = None, browser: bool = True) -> int:
    """Show the page until somebody stops it. Returns the exit code.

    Args:
        port: the one to use, and no other; without it a usual one, or another where that is taken.
        browser: open the page in the person's browser.

    Raises:
        UsageError: the port cannot be used.
    """
    listening = _listening(port)
    number = int(listening.getsockname()[1])
    keys = Keys()
    address = f"http://{HOST}:{number}/open/{keys.address}"
    remove_leftovers()
    reader = Reader()
    shelf = Shelf(reader)
    server = uvicorn.Server(
        uvicorn.Config(
            application(shelf, keys, number, stop=lambda: setattr(server, "should_exit", True)),
            log_level="critical",
            access_log=False,
            server_header=False,
            lifespan="off",
            ws="none",
            limit_concurrency=64,
            h11_max_incomplete_event_size=64_000,
            timeout_graceful_shutdown=2,
        )
    )
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name) and threading.current_thread() is threading.main_thread():
            signal.signal(getattr(signal, name), _interrupted)
    try:
        reader.start()
        print("claimscan is ready. Open this address in your browser, on this computer:", flush=True)
        print(f"  {address}", flush=True)
        print("To stop it, press Ctrl-C here, or “Stop claimscan” on the page.", flush=True)
        if browser:
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        server.run(sockets=[listening])
    except KeyboardInterrupt:
        pass
    finally:
        shelf.close()
        listening.close()
    print("claimscan has stopped. All that you did not keep is deleted.", file=sys.stderr)
    return 0


def _interrupted(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _listening(port: int | None) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if sys.platform != "win32":  # there it would let two programs share the port
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((HOST, PORT if port is None else port))
        made.listen(64)
        return made
    except (OSError, OverflowError) as error:
        made.close()
        if port is None:
            return _listening(0)
        raise UsageError(
            f"The port {port} cannot be used; another program may have it.",
            "Give another with --port, or leave --port out.",
        ) from error
