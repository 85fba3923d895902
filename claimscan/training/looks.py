"""The looks of the four layouts: sizes, colours, habits of print, and fonts.

The fonts are embedded as subsets: Source Serif Pro and Source Sans Pro (SIL Open Font License 1.1), Roboto (Apache
License 2.0). reportlab's own Vera has no Welsh letters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

WIDTH, HEIGHT = A4
_LIGATURES = (("ffi", "\ufb03"), ("ffl", "\ufb04"), ("ff", "\ufb00"), ("fi", "\ufb01"), ("fl", "\ufb02"))
_INNER_HYPHEN = re.compile(r"(?<=\w)-(?=\w)")


@dataclass(frozen=True)
class Look:
    """What tells one layout from another. Lengths in points; ``column`` is the width of the text frame."""

    body: str
    heads: str
    size: float
    leading: float
    column: float
    accent: Color
    tint: Color
    justified: bool = False
    hyphens: bool = False
    ligatures: bool = False
    u2010: bool = False
    left: float = 72.0
    top: float = 84.0
    bottom: float = 72.0

    def dressed(self, text: str) -> str:
        """The letters as this layout prints them."""
        if self.ligatures:
            for letters, ligature in _LIGATURES:
                text = text.replace(letters, ligature)
        return _INNER_HYPHEN.sub("\u2010", text) if self.u2010 else text


LOOKS = {
    "one-column": Look(
        "Serif", "Sans", 11, 15.5, WIDTH - 144, HexColor("#1f3a5f"), HexColor("#f1f3f6"), True, ligatures=True
    ),
    "two-column": Look(
        "Serif", "Sans", 9.5, 12.5, 236, HexColor("#5b2245"), HexColor("#efe9ed"), True, hyphens=True, left=51, top=76
    ),
    "boxes-tables": Look(
        "Sans", "Sans", 10.5, 14.5, WIDTH - 112, HexColor("#00605a"), HexColor("#e3f1ef"), left=56, top=80
    ),
    "designed": Look(
        "Roboto",
        "Roboto",
        10,
        14.5,
        336,
        HexColor("#4b2e83"),
        HexColor("#ece7f6"),
        u2010=True,
        left=48,
        top=80,
        bottom=64,
    ),
}
SIDE = (402.0, WIDTH - 402.0 - 40)  # the side column of the designed layout: its left edge and width
SECOND = HexColor("#c4512d")  # the second colour of the designed layout


@cache
def register_fonts() -> None:
    """Register the three families. They have the Welsh letters, which reportlab's own Vera has not."""
    families = {
        "Serif": ("font_source_serif_pro", "SourceSerifPro", "Regular Bold It BoldIt"),
        "Sans": ("font_source_sans_pro", "SourceSansPro", "Regular Bold It BoldIt"),
        "Roboto": ("font_roboto", "Roboto", "Regular Bold Italic BoldItalic"),
    }
    for family, (package, stem, cuts) in families.items():
        names = []
        for cut, suffix in zip(cuts.split(), ("", "-Bold", "-Italic", "-BoldItalic")):
            with resources.as_file(resources.files(package) / "files" / f"{stem}-{cut}.ttf") as path:
                pdfmetrics.registerFont(TTFont(family + suffix, str(path)))
            names.append(family + suffix)
        pdfmetrics.registerFontFamily(family, *names)
