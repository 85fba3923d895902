"""The documents of one run of the server, in a private folder that is gone when the server stops.

A finding is kept longer only where the person asks for it; then it lies in her own data folder until she deletes it.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claimscan.errors import ClaimscanError, LimitExceeded
from claimscan.web import worker
from claimscan.web.private_folder import PrivateFolder

if TYPE_CHECKING:
    from claimscan.correcting import Corrections
    from claimscan.records import Correction

MOST_DOCUMENTS = 20
MOST_KEPT = 500
_ID = re.compile(r"[A-Za-z0-9_-]{22}")


@dataclass(slots=True)
class Held:
    """One document on the page.

    Attributes:
        id: random, so that it cannot be guessed. ``name``: what the person's file is called; never used as a path.
        path: where its bytes are.
        made: the finding, with what was changed by hand; None while it is being read and where there is none.
        error: why there is none. ``kept``: the id under which it is kept on this computer.
    """

    id: str
    name: str
    path: Path
    added: float
    made: worker.Made | None = None
    error: ClaimscanError | None = None
    cancelled: bool = False
    kept: str = ""
    future: Future[Any] | None = field(default=None, repr=False)
    changing: threading.Lock = field(default_factory=threading.Lock, repr=False)
    ready: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def stage(self) -> str:
        return worker.stage(self.path)


class Shelf:
    """Everything of one run. Safe to use from several threads."""

    def __init__(self, reader: worker.Reader, keeping: Path | None = None) -> None:
        self._private = PrivateFolder()
        self.folder = self._private.path
        self.reader = reader
        self.keeping = keeping if keeping is not None else _data_folder()
        self._held: dict[str, Held] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """End the reading and delete what is not kept."""
        self.reader.stop()
        self._private.close()
        self._held.clear()

    def add(self, name: str, data: bytes, kept: str = "", corrections: str = "") -> Held:
        """Take in a document and begin to read it; ``corrections`` (as kept) are made once it is read.

        Raises:
            LimitExceeded: there are as many as are held at once.
        """
        id = secrets.token_urlsafe(16)
        held = Held(id, name, self.folder / id, time.time(), kept=kept)
        with self._lock:
            if len(self._held) >= MOST_DOCUMENTS:
                raise LimitExceeded(
                    f"There are {MOST_DOCUMENTS} documents on the page already.", "Take some off the page first."
                )
            self._held[id] = held
        _write(held.path, data)
        self._begin(held, corrections)
        return held

    def _begin(self, held: Held, corrections: str) -> None:
        held.future = self.reader.read(held.path, held.name, corrections)
        held.future.add_done_callback(lambda future: self._done(held, future))

    def _done(self, held: Held, future: Future[Any]) -> None:
        if future.cancelled() or held.cancelled:
            held.cancelled = True
        else:
            made = worker.outcome(future, held.name)
            if isinstance(made, ClaimscanError):
                held.error = made
            else:
                held.made = made
        held.ready.set()

    def change(self, held: Held, corrections: Corrections) -> None:
        """Correct its finding and grade it again.

        Raises:
            ClaimscanError: it could not be done; the finding is as it was.
        """
        self._again(held, lambda made: self.reader.call(worker.corrected, made, corrections))

    def undo(self, held: Held, gone: Sequence[Correction]) -> None:
        """The finding without these corrections. Raises as :meth:`change`."""
        self._again(held, lambda made: self.reader.call(worker.undone, made, tuple(gone)))

    def _again(self, held: Held, begin: Callable[[worker.Made], Future[Any]]) -> None:
        with held.changing:
            assert held.made is not None
            made = worker.outcome(begin(held.made), held.name)
            if isinstance(made, ClaimscanError):
                raise made
            held.made = made

    def get(self, id: str) -> Held | None:
        with self._lock:
            return self._held.get(id)

    def all(self) -> list[Held]:
        """Every document, in the order in which they came."""
        with self._lock:
            return list(self._held.values())

    def cancel(self, held: Held) -> None:
        """Stop reading it. Its process ends at once if it is being read."""
        held.cancelled = True
        if held.future is not None:
            held.future.cancel()
        held.ready.set()

    def delete(self, held: Held) -> None:
        """Take it off the page and delete its bytes. What is kept of it stays kept."""
        if not held.ready.is_set():
            self.cancel(held)
        with self._lock:
            self._held.pop(held.id, None)
        for path in (held.path, held.path.with_name(held.id + ".stage")):
            path.unlink(missing_ok=True)

    # --- kept on this computer, because the person asked for it ---

    def keep(self, held: Held, corrections: str = "") -> None:
        """Keep the document and what was changed by hand in the person's own data folder, readable by her alone."""
        if len(self.history()) >= MOST_KEPT:
            raise LimitExceeded(f"{MOST_KEPT} findings are kept already.", "Delete some of them first.")
        id = held.kept or secrets.token_urlsafe(16)
        place = self.keeping / id
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chmod(self.keeping, 0o700)
        _write(place / "document", held.path.read_bytes())
        about = {"name": held.name, "when": time.time(), "corrections": corrections}
        _write(place / "about.json", json.dumps(about).encode())
        held.kept = id

    def history(self) -> list[tuple[str, str, float]]:
        """What is kept: id, name and when, newest first."""
        found = []
        for place in self.keeping.iterdir() if self.keeping.is_dir() else ():
            about = _about(place)
            if about is not None:
                found.append((place.name, about["name"], about["when"]))
        return sorted(found, key=lambda row: -row[2])

    def reopen(self, id: str) -> tuple[str, bytes, str] | None:
        """The name, bytes and corrections of something kept; None where there is nothing of that id."""
        place = self._kept(id)
        about = _about(place) if place is not None else None
        if place is None or about is None:
            return None
        return about["name"], (place / "document").read_bytes(), about["corrections"]

    def forget(self, id: str) -> bool:
        """Delete something kept. Returns whether there was anything."""
        place = self._kept(id)
        if place is None:
            return False
        shutil.rmtree(place)
        for held in self.all():
            if held.kept == id:
                held.kept = ""
        return True

    def _kept(self, id: str) -> Path | None:
        place = self.keeping / id
        return place if _ID.fullmatch(id) and place.is_dir() and not place.is_symlink() else None


def _about(place: Path) -> dict[str, Any] | None:
    if not _ID.fullmatch(place.name) or place.is_symlink():
        return None
    try:
        about = json.loads((place / "about.json").read_bytes())
        return {
            "name": str(about["name"])[:200],
            "when": float(about["when"]),
            "corrections": str(about["corrections"]),
        }
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(handle, "wb") as out:
        out.write(data)


def _data_folder() -> Path:
    from platformdirs import user_data_path

    return user_data_path("claimscan", appauthor=False) / "kept"
