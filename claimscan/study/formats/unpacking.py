"""Files that others made, taken apart with care: size is bounded, nothing is fetched, nothing is written."""

from __future__ import annotations

import codecs
import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from claimscan.study.codings import CodingError

MOST = 1_000_000_000  # bytes of everything in one archive
ENTRIES = 50_000
MADE = (2000, 1, 1, 0, 0, 0)  # the date of everything that is written, so that its bytes depend on its content alone
DATE = "2000-01-01T00:00:00Z"

_AGAIN = "Export it again from the tool, and do not open or save it with another program."
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
)


def zipped(files: Mapping[str, bytes]) -> bytes:
    """An archive of files, in the order given; the same files give the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, MADE)
            info.compress_type, info.external_attr, info.create_system = zipfile.ZIP_DEFLATED, 0o600 << 16, 3
            archive.writestr(info, data)
    return out.getvalue()


def is_zip(data: bytes) -> bool:
    return data[:4] in (b"PK\x03\x04", b"PK\x05\x06")


class Archive:
    """The files in an archive, read one by one. Names are only compared, so it does not matter where they point to.

    Raises:
        CodingError: it is no archive, is encrypted or broken, or has too many files; reading: or too much in it.
    """

    def __init__(self, data: bytes) -> None:
        self._left = MOST
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except _BROKEN as error:
            raise CodingError("The archive cannot be opened.", _AGAIN) from error
        self.members = [info for info in self._zip.infolist() if not info.is_dir()]
        self.names = [info.filename for info in self.members]
        if len(self.names) > ENTRIES:
            raise CodingError(f"The archive has {len(self.names)} files in it, more than any study has.", _AGAIN)

    def read(self, name: str) -> bytes:
        try:
            with self._zip.open(name) as file:
                data = file.read(self._left + 1)
        except (*_BROKEN, KeyError) as error:
            raise CodingError(f"“{name[:100]}” in the archive cannot be read.", _AGAIN) from error
        if len(data) > self._left:
            raise CodingError("The archive holds more than any study does.", _AGAIN)
        self._left -= len(data)
        return data


def xml(data: bytes, what: str) -> Any:
    """The root of an XML file, without comments.

    Raises:
        CodingError: it is no XML, or defines entities of its own, which no tool's export does.
    """
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise CodingError(f"{what} is no XML that can be read.", _AGAIN) from error
    if root.getroottree().docinfo.doctype:
        raise CodingError(f"{what} has a document type in it, which could hide other content.", _AGAIN)
    return root


def to_xml(root: Any) -> bytes:
    from lxml import etree

    return bytes(etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True))


def text(data: bytes) -> str:
    """The text of a file, without the mark at its beginning that says how it is encoded."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    return data.decode("utf-8-sig", "replace")


def json_of(said: str | bytes, what: str) -> Any:
    """The value of a JSON text.

    Raises:
        CodingError: it is none.
    """
    try:
        return json.loads(text(said) if isinstance(said, bytes) else said)
    except (ValueError, RecursionError) as error:
        raise CodingError(f"{what} is no JSON that can be read.", _AGAIN) from error


def to_json(value: Any, indent: int | None = 1) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False)


def number(value: Any) -> int | None:
    """A whole number, or None where the value is none."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value) < 16:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**15 else None


def mapping(value: Any) -> Mapping[str, Any]:
    """The value where it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """The value where it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def string(value: Any) -> str:
    """The value where it is text or a number, else nothing."""
    if isinstance(value, str):
        return value
    return str(value) if number(value) is not None else ""


def joined(names: Sequence[str]) -> str:
    """Names in one text, which :func:`parted` takes apart again."""
    unclear = any(re.search(r"[;\n\r]|^\s*\[|^\s|\s$|^$", name) for name in names)
    return to_json(list(names), None) if unclear else "; ".join(names)


def parted(said: str) -> list[str]:
    """The names in such a text, or in one that a person wrote with semicolons or a line each."""
    if said.lstrip().startswith("["):
        try:
            return [name for name in sequence(json_of(said, "The names")) if isinstance(name, str)]
        except CodingError:
            pass
    return [name.strip() for name in re.split(r"[;\n]", said) if name.strip()]
