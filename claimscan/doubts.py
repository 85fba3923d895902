"""What a reader should check by eye first: the least sure of what the grades rest on.

A finding that is published must be defended line by line. This lists the lines most likely to be wrong, least sure first, from
the scores (:mod:`claimscan.scoring`): evidence that a grade rests on, a use of the word that may or may not be a claim.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from claimscan.records import Doubt, Evidence, Finding, Mention, Product
from claimscan.scoring import deciding

MOST = 6
SURE = 0.7  # what is likelier than this to be right is not listed
_CLAIMS = frozenset({"DOC_DONE", "OTHER_DONE", "PRACTICE"})
# Types between which a claim is most easily mistaken; a heading or a definition read as one is plain to see.
_NEAR_A_CLAIM = frozenset({"COMMIT", "REPORTED", "NEGATED", "DUTY", "PRINCIPLE"})


def doubts(
    products: Sequence[Product],
    findings: Mapping[str, Finding],
    mentions: Sequence[Mention],
    evidence: Sequence[Evidence],
) -> tuple[Doubt, ...]:
    """Up to ``MOST`` things to check, least sure first.

    Args:
        products, findings: the things made, and their findings by id.
        mentions, evidence: with their scores.
    """
    by_id = {item.id: item for item in evidence}
    found: dict[str, Doubt] = {}
    for product in products:
        for name in deciding(findings[product.id]):
            item = by_id.get(name)
            if item is not None and item.score < SURE:
                found.setdefault(name, Doubt(name, product.id, item.page, item.score, "rests"))
    for mention in mentions:
        claim = mention.type in _CLAIMS and bool(mention.product)
        if mention.score < SURE and (claim or mention.type in _NEAR_A_CLAIM):
            why = "claim" if claim else "no_claim"
            found[mention.id] = Doubt(mention.id, mention.product, mention.page, mention.score, why)
    return tuple(sorted(found.values(), key=lambda doubt: (doubt.score, doubt.page, doubt.item))[:MOST])
