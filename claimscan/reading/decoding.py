"""Bytes to text: byte order marks, UTF-8, a charset that an HTML page names, and Windows-1252 as the last resort."""

from __future__ import annotations

import codecs
import re

from claimscan.records import Warning_

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CHARSET = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?\s*([A-Za-z0-9_-]{2,30})""", re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")


def decode(data: bytes, name: str, html: bool = False) -> tuple[str, list[Warning_]]:
    """The text, with line ends as ``\\n`` and without control characters, and what had to be guessed."""
    warnings: list[Warning_] = []
    text = _decoded(data, html, warnings)
    if "\x00" in text or _CONTROL.search(text):
        text = _CONTROL.sub("", text)
        warnings.append(Warning_("control_characters", "Characters that no text should hold were left out."))
    return text.replace("\r\n", "\n").replace("\r", "\n"), warnings


def _decoded(data: bytes, html: bool, warnings: list[Warning_]) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    if len(data) > 8:  # UTF-16 without its mark: every other byte of Western text is nought
        sample = data[:2000]
        for offset, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
            if sample[offset::2].count(0) > 0.4 * len(sample) / 2 and sample[1 - offset :: 2].count(0) < 0.05 * len(
                sample
            ):
                return data.decode(encoding, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    if html:
        named = _CHARSET.search(data[:4096])
        if named:
            try:
                codecs.lookup(named[1].decode("ascii"))
                return data.decode(named[1].decode("ascii"), "replace")
            except (LookupError, ValueError):
                pass
    warnings.append(
        Warning_("encoding", "The text is not UTF-8; it was read as Windows-1252, so some letters may be wrong.")
    )
    return data.decode("cp1252", "replace")
