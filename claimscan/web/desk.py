"""What every page needs: the shelf, the keys, and the document that an address names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from claimscan.records import Evidence, Mention
from claimscan.report import Report
from claimscan.showing import wording as say
from claimscan.showing.translating import told, tr
from claimscan.web import languages, pages, worker
from claimscan.web.guard import Keys
from claimscan.web.shelf import Held, Shelf


@dataclass(frozen=True, slots=True)
class Desk:
    """Shared by all pages. ``stop`` stops the server; ``most`` is how many bytes one form may bring; ``language`` is the one
    that the pages are in."""

    shelf: Shelf
    keys: Keys
    stop: Callable[[], None]
    most: int
    language: languages.Chosen = field(default_factory=languages.Chosen)

    def held(self, request: Request) -> Held:
        """The document that the address names; 404 where there is none."""
        held = self.shelf.get(request.path_params["id"])
        if held is None:
            raise HTTPException(404)
        return held

    def made(self, request: Request) -> tuple[Held, worker.Made]:
        """The same, with its finding; 404 where there is none (yet)."""
        held = self.held(request)
        if held.made is None:
            raise HTTPException(404)
        return held, held.made

    def page(self, template: str, status: int = 200, /, **context: Any) -> Response:
        return pages.page(template, status, token=pages.token(self.keys.form), switch=languages.switch(), **context)

    def failed(
        self, heading: str, problem: str, remedy: str = "", held: Held | None = None, status: int = 200, back: str = ""
    ) -> Response:
        return self.page(
            "failed.html.j2",
            status,
            heading=heading,
            problem=told(problem),
            remedy=told(remedy),
            id=held.id if held else "",
            back=back,
            back_words=tr("Back") if back else "",
        )


def called(report: Report) -> dict[str, Any]:
    """For a template: the document's title and its language."""
    return {"title": say.title(report), "title_language": say.spoken(report, say.title(report))}


def named(report: Report) -> dict[str, Mention | Evidence]:
    """What an address can name by its id: every mention and every piece of evidence."""
    return {m.id: m for m in report.mentions} | {e.id: e for e in report.evidence}


def words_of(item: Mention | Evidence) -> str:
    """The words that a person is shown for it."""
    return item.sentence.text if isinstance(item, Mention) else item.quote
