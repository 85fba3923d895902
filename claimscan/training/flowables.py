"""What the typesetter puts on a page besides reportlab's own: marked blocks, the side column, a contents list."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from reportlab.lib.colors import Color
from reportlab.platypus import ActionFlowable, Flowable, Paragraph
from reportlab.platypus.tableofcontents import TableOfContents

from claimscan.training.looks import HEIGHT, LOOKS, SECOND, SIDE


@contextmanager
def marked(canvas: Any, operator: str) -> Iterator[None]:
    """Everything drawn inside is one marked-content sequence."""
    canvas._code.append(operator)
    yield
    canvas._code.append("EMC")


def artifact(canvas: Any) -> Any:
    return marked(canvas, "/Artifact BMC")


class Words(Paragraph):  # type: ignore[misc]
    """A paragraph that is one block of the gold text, or an artifact where ``block`` is None."""

    block: int | None = None
    entry: tuple[int, str] | None = None  # level and words of a heading, for the contents page

    def draw(self) -> None:
        operator = "/Artifact BMC" if self.block is None else f"/P <</MCID {self.block}>> BDC"
        with marked(self.canv, operator):
            super().draw()

    def split(self, width: float, height: float) -> list[Flowable]:
        parts = super().split(width, height)
        for part in parts:
            part.block = self.block
        if parts:
            parts[0].entry = self.entry
        return list(parts)


class Rule(Flowable):  # type: ignore[misc]
    """A coloured line under a heading."""

    def __init__(self, width: float, colour: Color, weight: float = 1.2, after: float = 6) -> None:
        super().__init__()
        self.width, self.height, self.colour, self.weight = width, after, colour, weight

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        return min(self.width, width), self.height

    def draw(self) -> None:
        with artifact(self.canv):
            self.canv.setStrokeColor(self.colour)
            self.canv.setLineWidth(self.weight)
            self.canv.line(0, self.height, self.width, self.height)


@dataclass
class Side:
    """The side column of the designed layout: how far down it is full, and what waits for the next page."""

    free: float = 0.0
    waiting: list[Aside] = field(default_factory=list)

    def new_page(self, canvas: Any) -> None:
        self.free = HEIGHT - LOOKS["designed"].top
        waiting, self.waiting = self.waiting, []
        for aside in waiting:
            self.place(canvas, aside, self.free)

    def place(self, canvas: Any, aside: Aside, level: float) -> None:
        """Draw with its top at ``level`` or as near as there is room; else on the next page."""
        bottom = LOOKS["designed"].bottom
        top = max(min(level, self.free), bottom + aside.size)
        if self.waiting or top > self.free:
            self.waiting.append(aside)
            return
        aside.paint(canvas, top)
        self.free = top - aside.size - 16


class Aside(Flowable):  # type: ignore[misc]
    """Something set in the side column, beside the words that it follows. It takes no room in the main column."""

    def __init__(self, content: list[Flowable], side: Side, panel: bool) -> None:
        super().__init__()
        self.content, self.side, self.panel = content, side, panel
        self.pad = 10.0 if panel else 0.0
        self.measured = [(f, f.wrap(SIDE[1] - 2 * self.pad, HEIGHT)[1]) for f in content]
        self.size = sum(h + f.getSpaceBefore() + f.getSpaceAfter() for f, h in self.measured) + 2 * self.pad + 6

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        return 0, 0

    def drawOn(self, canvas: Any, x: float, y: float, _sW: float = 0) -> None:
        self.side.place(canvas, self, y)

    def paint(self, canvas: Any, top: float) -> None:
        x, width = SIDE
        look = LOOKS["designed"]
        with artifact(canvas):
            canvas.setFillColor(look.tint if self.panel else SECOND)
            if self.panel:
                canvas.roundRect(x, top - self.size, width, self.size, 6, stroke=0, fill=1)
            else:
                canvas.rect(x, top - 3, width * 0.4, 3, stroke=0, fill=1)
        y = top - self.pad - 3
        for flowable, height in self.measured:
            y -= flowable.getSpaceBefore() + height
            flowable.drawOn(canvas, x + self.pad, y)
            y -= flowable.getSpaceAfter()


class Flush(ActionFlowable):  # type: ignore[misc]
    """At the end: one more page where something still waits for the side column."""

    def __init__(self, side: Side) -> None:
        super().__init__()
        self.side = side

    def apply(self, doc: Any) -> None:
        if self.side.waiting:
            doc.handle_pageBreak()


class Contents(TableOfContents):  # type: ignore[misc]
    """A contents list with dotted leaders, drawn as an artifact: the gold text has the headings in their places."""

    def drawOn(self, canvas: Any, x: float, y: float, _sW: float = 0) -> None:
        with artifact(canvas):
            super().drawOn(canvas, x, y, _sW)

    def split(self, width: float, height: float) -> list[Flowable]:
        return [_Leaf(part) for part in super().split(width, height)]


class _Leaf(Flowable):  # type: ignore[misc]
    """Part of a contents list that runs over a page."""

    def __init__(self, part: Flowable) -> None:
        super().__init__()
        self.part = part

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        size: tuple[float, float] = self.part.wrap(width, height)
        return size

    def split(self, width: float, height: float) -> list[Flowable]:
        return [_Leaf(part) for part in self.part.split(width, height)]

    def drawOn(self, canvas: Any, x: float, y: float, _sW: float = 0) -> None:
        with artifact(canvas):
            self.part.drawOn(canvas, x, y, _sW)


class FrameEnd(ActionFlowable):  # type: ignore[misc]
    """Go on in the next frame: below the masthead, or in the next column."""

    def __init__(self) -> None:
        super().__init__(("frameEnd",))
