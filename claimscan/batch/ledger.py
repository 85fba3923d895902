"""The run folder: what has been done is written down, one line a document, and nothing written is ever half there.

A document's files are written first, each whole, its report last; then its line goes into the ledger. A run that is
stopped between the two finds the report again, so no document is judged twice.
"""

from __future__ import annotations

import errno
import glob
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, NamedTuple

from claimscan.errors import UsageError
from claimscan.files import TEMPORARY, unwritable, write_whole

FORM = "claimscan/run/1"
LEDGER = "ledger.jsonl"
_SHA256 = re.compile("[0-9a-f]{64}")


class Entry(NamedTuple):
    """What the ledger knows of one document.

    Attributes:
        key: fingerprint of everything but the bytes that decides its report.
        state: ``read`` or ``unread``.
        code, why, remedy: of the error, where unread.
        bound: seconds and megabytes it was allowed, where it was stopped for passing one of them.
    """

    key: str
    state: str
    code: str = ""
    why: str = ""
    remedy: str = ""
    bound: tuple[float, int] = (0.0, 0)


class Ledger:
    """The record of one run folder. Made by :func:`opened`, which alone holds the folder meanwhile."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._entries: dict[str, Entry] = {}
        self._files: dict[str, tuple[int, int, str]] = {}
        self._load()
        self._out: IO[bytes] | None = None

    # --- what is known ---

    def entry(self, document: str) -> Entry | None:
        """What is known of the document with this sha256."""
        return self._entries.get(document)

    def identity(self, place: str, marks: tuple[int, int]) -> str:
        """The sha256 of a file that was seen before and has not been written since; empty if not known."""
        size, time, document = self._files.get(place, (0, 0, ""))
        return document if marks == (size, time) and time else ""

    # --- what is written down ---

    def seen(self, place: str, marks: tuple[int, int], document: str) -> None:
        """Remember which bytes a file holds, so that it need not be read to know that it is unchanged."""
        if marks[1] and self._files.get(place) != (*marks, document):
            self._files[place] = (*marks, document)
            self._append({"file": place, "size": marks[0], "written": marks[1], "document": document})

    def done(self, document: str, entry: Entry, spent: Mapping[str, float] | None = None) -> None:
        """Write down that a document was judged, or could not be."""
        self._entries[document] = entry
        line: dict[str, Any] = {"document": document, "key": entry.key, "state": entry.state}
        if entry.state == "unread":
            line |= {"code": entry.code, "why": entry.why, "remedy": entry.remedy, "bound": list(entry.bound)}
        self._append(line | dict(spent or {}))

    def forget(self, document: str) -> None:
        """Say that what is written of a document no longer holds, before it is written anew."""
        if self._entries.pop(document, None) is not None:
            self._append({"document": document, "state": "again"})

    def keep(self, kind: str, document: str, data: bytes) -> None:
        """Write one file of a document: kind ``reading``, ``page`` or ``report``; the report last of all."""
        path = self.path(kind, document)
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
        except OSError as error:
            raise unwritable(path, error) from error
        write_whole(path, data)

    def drop(self, kind: str, document: str) -> None:
        """Take away a file of a document, if it is there."""
        try:
            os.unlink(self.path(kind, document))
        except FileNotFoundError:
            pass
        except OSError as error:
            raise unwritable(self.path(kind, document), error) from error

    def path(self, kind: str, document: str) -> str:
        """Where a file of a document is or will be."""
        return os.path.join(self.folder, *relative(kind, document).split("/"))

    def has(self, kind: str, document: str) -> bool:
        """Whether a file of a document is there and not empty."""
        try:
            return os.path.getsize(self.path(kind, document)) > 0
        except OSError:
            return False

    def load(self, kind: str, document: str) -> bytes:
        """A file of a document; empty if it is not there."""
        try:
            with open(self.path(kind, document), "rb") as file:
                return file.read()
        except OSError:
            return b""

    def report(self, document: str) -> dict[str, Any] | None:
        """The report of a document as plain values; None where there is no whole one."""
        try:
            whole = json.loads(self.load("report", document))
        except (ValueError, RecursionError):
            return None
        parts = ("products", "mentions", "evidence")
        if not isinstance(whole, dict) or not all(isinstance(whole.get(part), list) for part in parts):
            return None
        about = whole.get("document")
        return whole if isinstance(about, dict) and about.get("id") == document and "text_sha256" in about else None

    def close(self) -> None:
        if self._out is not None:
            self._out.close()
            self._out = None

    # --- the file ---

    def _load(self) -> None:
        path = os.path.join(self.folder, LEDGER)
        if not os.path.exists(path):
            return
        whole = 0
        with open(path, "rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break  # the run was stopped in the middle of this line
                whole += len(line)
                try:
                    self._take(json.loads(line))
                except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
                    continue  # not a line of ours; its document is judged again
        if whole < os.path.getsize(path):
            os.truncate(path, whole)

    def _take(self, line: Mapping[str, Any]) -> None:
        if not isinstance(line, dict) or not _SHA256.fullmatch(line["document"]):
            raise TypeError("not a line of a ledger")
        if "file" in line:
            self._files[line["file"]] = (int(line["size"]), int(line["written"]), line["document"])
            return
        if line["state"] == "again":
            self._entries.pop(line["document"], None)
            return
        if line["state"] not in ("read", "unread"):
            raise ValueError("no such state")
        bound = line.get("bound", (0.0, 0))
        code, why, remedy = (str(line.get(field, "")) for field in ("code", "why", "remedy"))
        self._entries[line["document"]] = Entry(
            line["key"], line["state"], code, why, remedy, (float(bound[0]), int(bound[1]))
        )

    def _append(self, line: Mapping[str, Any]) -> None:
        path = os.path.join(self.folder, LEDGER)
        data = (json.dumps(line, ensure_ascii=True, separators=(",", ":")) + "\n").encode("ascii")
        try:
            if self._out is None:
                self._out = open(path, "ab", buffering=0)
            start = self._out.seek(0, os.SEEK_END)
            try:
                written = self._out.write(data)
                if written != len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(self._out.fileno())
            except OSError:
                os.truncate(path, start)
                raise
        except OSError as error:
            raise unwritable(path, error) from error


def relative(kind: str, document: str) -> str:
    """The place of a document's file in the run folder, with ``/`` between the parts."""
    folder, suffix = {
        "report": ("reports", "json"),
        "page": ("pages", "html"),
        "reading": ("readings", "json.gz"),
    }[kind]
    return f"{folder}/{document[:2]}/{document}.{suffix}"


@contextmanager
def opened(folder: str) -> Iterator[Ledger]:
    """Open a run folder, made if it is not there, for one writer at a time.

    Raises:
        UsageError: the folder cannot be made or written to, holds something else, or another run is writing to it.
    """
    from filelock import FileLock, Timeout

    fresh = not os.path.isdir(folder)
    try:
        os.makedirs(folder, exist_ok=True)
        if not os.path.exists(os.path.join(folder, "run.json")) and any(
            not name.startswith((TEMPORARY, ".lock", LEDGER)) for name in os.listdir(folder)
        ):
            raise UsageError(
                f"{folder} is not empty and is not the folder of a run.",
                "Name a new folder, or one from an earlier scan.",
            )
        lock = FileLock(os.path.join(folder, ".lock"), timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise UsageError(
                f"Another scan is writing to {folder}.", "Wait until it has ended, or name another folder."
            ) from None
    except OSError as error:
        raise UsageError(
            f"The folder {folder} cannot be {'made' if fresh else 'written to'} ({error.strerror or error}).",
            "Choose another place for --out.",
        ) from None
    ledger = None
    try:
        for left in glob.glob(os.path.join(glob.escape(folder), "*", "*", TEMPORARY + "*")):
            os.unlink(left)  # of a run that was killed as it wrote
        try:
            ledger = Ledger(folder)
        except OSError as error:
            raise UsageError(
                f"{folder}/{LEDGER} cannot be read ({error.strerror}).",
                "Scan into a new folder, or ask for the right to read it.",
            ) from None
        yield ledger
    finally:
        if ledger is not None:
            ledger.close()
        lock.release()


def describe(ledger: Ledger, about: Mapping[str, Any]) -> None:
    """Write ``run.json``: what the folder is, what was asked for, and the totals."""
    text = json.dumps({"schema": FORM, **about}, ensure_ascii=True, indent=1) + "\n"
    write_whole(os.path.join(ledger.folder, "run.json"), text.encode("ascii"))


def description(folder: str) -> dict[str, Any]:
    """What ``run.json`` says.

    Raises:
        UsageError: the folder is not that of a run.
    """
    try:
        with open(os.path.join(folder, "run.json"), "rb") as file:
            about = json.load(file)
    except FileNotFoundError:
        raise UsageError(
            f"{folder} is not the folder of a run.", "Name the folder that scan wrote with --out."
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is damaged"
        raise UsageError(f"{folder}/run.json cannot be read ({why}).", "Name the documents again.") from None
    if not isinstance(about, dict):
        raise UsageError(f"{folder}/run.json cannot be read (it is damaged).", "Name the documents again.")
    if about.get("schema") != FORM:
        raise UsageError(f"{folder} was written by another version of claimscan.", "Scan into a new folder.")
    return dict(about)
