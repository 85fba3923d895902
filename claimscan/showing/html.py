"""The finding as one web page in one file: each quote beside a picture of its place, no script, nothing loaded.

Text from the document goes through Jinja2's escaping, and a content security policy allows only the page's own style
sheet (by its hash) and pictures inside the page.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from claimscan.records import Reply
from claimscan.showing import templates
from claimscan.showing.finding import finding
from claimscan.showing.pictures import Pictures

if TYPE_CHECKING:
    from claimscan.report import Report


def page(report: Report, replies: Iterable[Reply] = ()) -> str:
    """The whole page as text, to be written as UTF-8.

    Pictures are of PDF pages only, at most 80 and 4 MB together; when there is no room, or a page cannot be drawn, the
    quote stands alone. ``replies`` are what bodies answered; those about this document stand beside their finding, and
    those whose finding is gone at the end.
    """
    style = templates.resource("report.css")
    context = finding(report, Pictures(report), replies)
    return templates.template("report.html.j2").render(
        **context, style=templates.own(style), style_hash=templates.policy_hash(style)
    )
