"""Pictures of pages to lines of text, with tesseract through pytesseract (the ``ocr`` extra)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from claimscan.reading.layout import Line

if TYPE_CHECKING:
    from PIL import Image

#: Dots an inch at which a page is drawn for OCR, as tesseract's manual advises.
DOTS = 300


def available() -> bool:
    """Whether pytesseract and the tesseract program are both installed."""
    try:
        import pytesseract

        pytesseract.get_tesseract_version()
    except Exception:  # pytesseract raises errors of its own kinds for a missing or broken program
        return False
    return True


def lines(picture: Image.Image, scale: float, language: str, seconds: float) -> list[Line]:
    """The lines of text in a picture of one page, in tesseract's reading order; none where it fails or takes too long.

    Args:
        scale: pixels of the picture per point of the page.
        language: tesseract's language codes, joined by ``+``.
        seconds: time allowed.
    """
    import pytesseract

    try:
        words = pytesseract.image_to_data(
            picture, lang=language, output_type=pytesseract.Output.DICT, timeout=max(1, int(seconds))
        )
    except (RuntimeError, pytesseract.TesseractError, OSError):
        return []
    found: dict[tuple[int, int, int], list[int]] = {}
    for at, word in enumerate(words["text"]):
        if word.strip() and float(words["conf"][at]) >= 30:
            key = (words["block_num"][at], words["par_num"][at], words["line_num"][at])
            found.setdefault(key, []).append(at)
    made = []
    for places in found.values():
        left = min(words["left"][at] for at in places) / scale
        right = max(words["left"][at] + words["width"][at] for at in places) / scale
        top = min(words["top"][at] for at in places) / scale
        bottom = max(words["top"][at] + words["height"][at] for at in places) / scale
        text = " ".join(words["text"][at].strip() for at in places)
        made.append(Line(-1, text, left, top, right, bottom, round((bottom - top) * 0.9)))
    return made
