"""Takes in what a form brings: its token, its fields, and documents within bounds. Names are only ever shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from claimscan.errors import ClaimscanError, UsageError
from claimscan.showing import wording as say
from claimscan.showing.translating import message, tr
from claimscan.web.guard import Keys

MOST_FILES = 10
MOST_TEXT = 2_000_000  # characters that are pasted
MOST_FIELDS = 100
PASTED = message("Pasted words.txt")


class Stale(ClaimscanError):
    """A form that is not of this run of the server."""

    remedy = "Open the page again, and try once more."


async def fields(request: Request, keys: Keys) -> FormData:
    """The form, once its token is right.

    Raises:
        Stale: it is not.
    """
    form = await request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=4 * MOST_TEXT)
    if not keys.fits(form.get("token")):
        await form.close()
        raise Stale("This page is from before claimscan was started again.")
    return form


def field(form: Mapping[str, Any], name: str, most: int = 5000) -> str:
    """One field of text, no longer than ``most``; empty where there is none."""
    value = form.get(name, "")
    return value[:most] if isinstance(value, str) else ""


async def documents(form: FormData) -> list[tuple[str, bytes]]:
    """The documents of the form with their names, and the pasted words as one more.

    Raises:
        UsageError: there are none, or the words are too many.
    """
    found = []
    for upload in form.getlist("files"):
        if isinstance(upload, UploadFile) and (upload.filename or upload.size):
            found.append((shown_name(upload.filename or ""), await upload.read()))
    text = form.get("text", "")
    if isinstance(text, str) and text.strip():
        if len(text) > MOST_TEXT:
            raise UsageError(
                f"The words are more than {MOST_TEXT:,} characters.", "Paste less, or choose the document as a file."
            )
        found.append((tr(PASTED), text.encode("utf-8", "replace")))
    if not found:
        raise UsageError("You did not choose a document yet.", "Choose one, or paste words.")
    return found


def shown_name(name: str) -> str:
    """What a document is called on the page: the last part of its name, cleaned and short."""
    name = say.clean(name.replace("\\", "/").rsplit("/", 1)[-1])
    stem, dot, suffix = name.rpartition(".")
    if len(name) > 120:
        name = say.short(stem or name, 110) + (dot + suffix if stem and len(suffix) < 9 else "")
    return name or tr("Document")


def attachment(name: str, suffix: str) -> str:
    """The Content-Disposition header of a download (RFC 6266, RFC 8187)."""
    stem = name.rpartition(".")[0] or name
    plain = "".join(c if c.isascii() and (c.isalnum() or c in " -_") else "-" for c in stem).strip(" -.") or "document"
    wide = "".join(c if c.isalnum() or c in " -_" else "-" for c in stem).strip(" -.") or "document"
    return f"attachment; filename=\"{plain[:100]}{suffix}\"; filename*=UTF-8''{quote(wide[:100] + suffix, safe='')}"
