"""The three questions a person asks first: were people listened to, were they used, were they the only ones?

They are those of codebook section 4 (``asks``), in the words of the article that claimscan began with. Each is answered
with what the document states, by place, or with "The document does not say". They are in ``wording.toml``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from claimscan.records import Product
from claimscan.showing import wording as say
from claimscan.showing.translating import tr

if TYPE_CHECKING:
    from claimscan.report import Report

MOST = 3  # quotes under one answer


def answered(report: Report, product: Product) -> list[dict[str, Any]]:
    """For each question: ``ask``, ``says`` (what each place says, its quote and place; may be empty) and ``silent``, a
    sentence on what the document leaves out, empty where it leaves out nothing."""
    finding = report.findings[product.id]
    out = []
    for row in say.tables()["three"]:
        slots = row["slots"]
        places = []
        for longest, group in say.chosen_evidence(report, product):
            told = [e for e in group if e.slot in slots and e.product == product.id and say.is_stated(e.value)]
            if told:
                others = {e.who for e in told} - {"le", ""}
                said = say.says(told)
                if len(others) == 1:
                    said = f"{say.word(others.pop(), 'people')}: {said[:1].lower()}{said[1:]}"
                places.append(
                    {
                        "words": say.sentence(said),
                        "quote": say.short(longest.quote, 240),
                        "language": say.spoken(report, longest.quote),
                        "place": say.pages(report, [longest.page]),
                    }
                )
        silent = [
            tr(say.tables()["slots"][slot]["silent"]) for slot in slots if not say.is_stated(finding.slots.get(slot))
        ]
        if len(silent) == len(slots):
            rest = tr("Of the people it is about, it does not say.") if places else tr("The document does not say.")
        else:
            rest = tr("It does not say {what}.").format(what=tr(", or ").join(silent)) if silent else ""
        out.append({"ask": tr(row["ask"]), "says": places[:MOST], "more": len(places) - MOST, "silent": rest})
    return out
