"""Readings kept as bytes, so that a document whose rules have changed is judged again without being read again."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import fields
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from claimscan.reading.opening import Anchors
from claimscan.reading.tidying import Run
from claimscan.records import Block, Document, Page, Warning_

FORM = "claimscan/reading/1"
_ROWS: dict[str, Any] = {"pages": Page, "blocks": Block, "warnings": Warning_}


def is_measured(document: Document) -> bool:
    runs = document.anchors.runs if isinstance(document.anchors, Anchors) else ()
    return not any(run.length < 0 for run in runs)


def store(document: Document) -> bytes:
    whole = {name: getattr(document, name) for name in ("id", "format", "text", "title")}
    for name, kind in _ROWS.items():
        whole[name] = [[getattr(row, f.name) for f in fields(kind)] for row in getattr(document, name)]
    whole["runs"] = [list(run) for run in document.anchors.runs] if isinstance(document.anchors, Anchors) else None
    whole["form"] = FORM
    text = json.dumps(whole, ensure_ascii=True, separators=(",", ":"))  # ASCII: lone surrogates cannot be UTF-8
    return gzip.compress(text.encode("ascii"), compresslevel=6, mtime=0)


def restore(stored: bytes, data: bytes, name: str) -> Document:
    try:
        whole = json.loads(gzip.decompress(stored))
        if whole["form"] != FORM:
            raise ValueError("another form of reading")
        if whole["id"] != hashlib.sha256(data).hexdigest():
            raise ValueError("the reading of another file")
        rows = {key: tuple(kind(*row) for row in whole[key]) for key, kind in _ROWS.items()}
        runs = whole["runs"]
        anchors = None if runs is None else Anchors(data, tuple(Run(*run) for run in runs))
        return Document(
            whole["id"], name, whole["format"], whole["text"], title=whole["title"], anchors=anchors, **rows
        )
    except (OSError, EOFError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"not a stored reading: {error}") from error


@cache
def fingerprint() -> str:
    code = hashlib.sha256(version("pypdfium2").encode())
    for file in sorted(files("claimscan.reading").iterdir(), key=lambda f: f.name):
        if file.name.endswith(".py"):
            code.update(file.read_bytes())
    return code.hexdigest()
