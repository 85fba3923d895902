"""Readings kept as bytes, so that a document whose rules have changed is judged again without being read again.

A kept reading is gzipped JSON: ``form``, ``made`` (what decided it besides the bytes: settings, suffix, code), the fields of
Document, its pages, blocks and warnings as rows, and ``runs``, by which places on the page are found.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import zlib
from dataclasses import asdict, fields
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from claimscan.reading.opening import Anchors
from claimscan.reading.tidying import Run
from claimscan.records import Block, Document, Page, Settings, Warning_

FORM = "claimscan/reading/1"
_ROWS: dict[str, Any] = {"pages": Page, "blocks": Block, "warnings": Warning_}


def is_measured(document: Document) -> bool:
    """Whether the layout was read, and not only the words: only then is each run a part of a page."""
    runs = document.anchors.runs if isinstance(document.anchors, Anchors) else ()
    return not any(run.length < 0 for run in runs)


def store(document: Document, settings: Settings) -> bytes:
    """The reading as bytes, without the file's own."""
    whole: dict[str, Any] = {name: getattr(document, name) for name in ("id", "format", "text", "title")}
    for name, kind in _ROWS.items():
        whole[name] = [[getattr(row, f.name) for f in fields(kind)] for row in getattr(document, name)]
    whole["runs"] = [list(run) for run in document.anchors.runs] if isinstance(document.anchors, Anchors) else None
    whole |= {"form": FORM, "made": _made(document.source, settings)}
    text = json.dumps(whole, ensure_ascii=True, separators=(",", ":"))  # ASCII: lone surrogates cannot be UTF-8
    return gzip.compress(text.encode("ascii"), compresslevel=6, mtime=0)


def restore(stored: bytes, data: bytes, name: str, settings: Settings) -> Document:
    """The reading again. Raises ValueError where it is damaged, of another file, or would be made otherwise now."""
    whole = _opened(stored)
    if whole["made"] != _made(name, settings):
        raise ValueError("a reading by other code, under other settings or of another kind of file")
    if whole["id"] != hashlib.sha256(data).hexdigest():
        raise ValueError("the reading of another file")
    return _document(whole, name, data)


def recall(stored: bytes, name: str) -> Document:
    """The reading without the file, as it was made then: its words have no place on the page. Raises ValueError where it is
    damaged."""
    return _document(_opened(stored), name, None)


def _opened(stored: bytes) -> dict[str, Any]:
    try:
        whole = json.loads(gzip.decompress(stored))
        if whole["form"] != FORM:
            raise ValueError("another form of reading")
        return {key: whole[key] for key in ("id", "format", "text", "title", "made", "runs", *_ROWS)}
    except (OSError, EOFError, KeyError, TypeError, RecursionError, zlib.error) as error:
        raise ValueError(f"not a stored reading: {error}") from error


def _document(whole: dict[str, Any], name: str, data: bytes | None) -> Document:
    try:
        rows = {key: tuple(kind(*row) for row in whole[key]) for key, kind in _ROWS.items()}
        runs = whole["runs"]
        anchors = None if runs is None or data is None else Anchors(data, tuple(Run(*run) for run in runs))
        return Document(
            whole["id"], name, whole["format"], whole["text"], title=whole["title"], anchors=anchors, **rows
        )
    except TypeError as error:
        raise ValueError(f"not a stored reading: {error}") from error


def _made(name: str, settings: Settings) -> str:
    """What decides a reading besides the bytes, in one word."""
    whole = json.dumps([fingerprint(), asdict(settings), os.path.splitext(name)[1].lower()], sort_keys=True)
    return hashlib.sha256(whole.encode("ascii")).hexdigest()


@cache
def fingerprint() -> str:
    """The code of this room and the versions of the packages that it reads with, as a sha256."""
    packages = ("pypdfium2", "pdfplumber", "python-docx", "lxml", "selectolax", "markdown-it-py")
    code = hashlib.sha256(repr([(name, version(name)) for name in packages]).encode())
    for file in sorted(files("claimscan.reading").iterdir(), key=lambda f: f.name):
        if file.name.endswith(".py"):
            code.update(file.read_bytes())
    return code.hexdigest()
