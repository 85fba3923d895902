"""The finding in Easy Read: short sentences, one idea in each, and hard words explained.

The sentences are in ``data/templates/easy_read.en.toml``, and in Welsh in ``easy_read.cy.toml``. Easy Read has pictures beside each line; the page shows the
picture of the place in the document instead, with the quotes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from claimscan.records import Product
from claimscan.showing import templates
from claimscan.showing import wording as say
from claimscan.showing.translating import speaking

if TYPE_CHECKING:
    from claimscan.report import Report

GAPS = 4


@cache
def table(language: str = "en") -> Mapping[str, Any]:
    """The sentences of a language, ``en`` or ``cy``, as read."""
    return tomllib.loads(templates.resource(f"easy_read.{language}.toml"))


def lines(report: Report, product: Product, language: str = "en") -> list[dict[str, Any]]:
    """Parts of the summary, each with a ``heading`` and its ``lines``."""
    words = table(language)
    finding = report.findings[product.id]
    opening = "claimed" if say.claims_of(report, product) else "described"
    with speaking(language):
        about = say.name(product, 80)
    shown = [*words["grades"][finding.grade]]
    if finding.proxy_grade:
        shown += words["proxies"]
    if finding.ceiling in say.LEVELS and (finding.grade not in say.LEVELS or finding.ceiling > finding.grade):
        shown += words["open"]
    gaps = [words["gaps"][q.gap] for q in finding.questions if q.gap in words["gaps"]][:GAPS]
    parts = [
        {"heading": words["headings"]["claim"], "lines": [line.replace("{name}", about) for line in words[opening]]},
        {"heading": words["headings"]["shows"], "lines": shown},
    ]
    if gaps:
        parts.append({"heading": words["headings"]["ask"], "lines": [*words["asking"], *gaps]})
    parts.append({"heading": words["headings"]["fair"], "lines": words["fair"]})
    return parts
