"""Links evidence to the product it is about (codebook E3, E4): same sentence, same name, same section, or the one product there is.

Where two products fit equally well the nearer one before it is taken, with certainty "borderline". Evidence about an earlier
or another thing supports nothing here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from claimscan import naming
from claimscan.lexicon import compiled, load
from claimscan.records import Evidence, Mention, Product, Sentence

_SHORT = 1200  # words; a document this short is about one thing unless it names another
_OF_NOTHING_HERE = frozenset({"PRINCIPLE", "DUTY", "OTHER_SENSE", "NEGATED"})
_NEAR = 6  # blocks; how far a product's last mention reaches within its section


def link(
    linked: Mapping[int, Sequence[Evidence]],
    look: Callable[[int], Sequence[Evidence]],
    mentions: Sequence[Mention],
    products: Sequence[Product],
    sentences: Sequence[Sentence],
    titles: str,
) -> dict[int, tuple[Evidence, ...]]:
    """The evidence with ``product`` set where it belongs to one, by the index of its sentence, in reading order.

    Only sentences that some product reaches are looked into.

    Args:
        linked: what was looked into before; what is linked already stays.
        look: gives the evidence of the sentence at an index.
        mentions: mentions with their products.
        products: products found so far.
        sentences: all sentences in reading order.
        titles: the document's own names.
    """
    if not products:
        return {index: tuple(items) for index, items in linked.items()}
    starts = [s.start for s in sentences]
    names = {p.id: naming.name(p.name) for p in products}
    claims: dict[int, list[Mention]] = {}
    others: set[int] = set()
    for mention in mentions:
        index = bisect_right(starts, mention.start) - 1
        if mention.product:
            claims.setdefault(index, []).append(mention)
        elif mention.type in _OF_NOTHING_HERE:
            others.add(index)
    words = sum(len(s.text.split()) for s in sentences)
    document = next((p.id for p in products if p.is_document), None)
    only = products[0].id if len(products) == 1 else None
    out: dict[int, tuple[Evidence, ...]] = {}
    last = None
    places = _places(sentences, products, names, claims, titles)
    for index, sentence in enumerate(sentences):
        if index in others and index not in claims and index not in places:
            continue  # a word on co-production in general, on what others must do, or on another thing that was not co-produced
        if (
            index not in linked
            and not _choose(sentence.start, index, sentences, claims, places, document, only, words < _SHORT, last)[0]
        ):
            continue
        here = []
        for item in linked.get(index) or look(index):
            product, sure = item.product, True
            if not product:
                product, sure = _choose(
                    item.start, index, sentences, claims, places, document, only, words < _SHORT, last
                )
            if product:
                last = (index, product)
                certainty = item.certainty if sure else "borderline"
                item = replace(item, product=product, certainty=certainty)
            here.append(item)
        out[index] = tuple(here)
    return out


def _places(
    sentences: Sequence[Sentence],
    products: Sequence[Product],
    names: Mapping[str, naming.Name],
    claims: Mapping[int, list[Mention]],
    titles: str,
) -> Mapping[int, tuple[tuple[int, str], ...]]:
    """For each sentence the products named in it, by mention or by name, with the offset of each, in order."""
    found: dict[int, tuple[tuple[int, str], ...]] = {}
    heads = {n.head for n in names.values()}
    document = next((p.id for p in products if p.is_document), None)
    title = titles.split(" / ")[0]  # "Steady Ground" is a name by itself; "Welcome" is not
    called = title if document and len(title.split()) > 1 and title != title.lower() else None
    known = [(p.id, alias) for p in products for alias in [naming.alias(p.name, _rivals(p, products, names))]]
    for index, sentence in enumerate(sentences):
        here = [(m.start - sentence.start, m.product) for m in claims.get(index, [])]
        if document and called and called in sentence.text:
            here.append((sentence.text.index(called), document))
        lower = sentence.text.lower()
        if any(h and h in lower for h in heads) or "this " in lower:
            for start, _, name in naming.references(sentence.text):
                for product in products:
                    if product.is_document and naming.stands_for_document(name, titles):
                        here.append((start, product.id))
                    elif naming.same(names[product.id], name) and not (product.is_document and name.other):
                        here.append((start, product.id))
        for product_id, alias in known:
            if product_id != document and (at := naming.called(alias, sentence.text, sentence.kind)) >= 0:
                here.append((at, product_id))
        if here:
            found[index] = tuple(sorted(dict.fromkeys(here)))
    return found


def _rivals(product: Product, products: Sequence[Product], names: Mapping[str, naming.Name]) -> frozenset[str]:
    """The heads of the other products: a head that two share does not tell which is meant."""
    return frozenset(names[p.id].head for p in products if p.id != product.id)


def _choose(
    start: int,
    index: int,
    sentences: Sequence[Sentence],
    claims: Mapping[int, list[Mention]],
    places: Mapping[int, tuple[tuple[int, str], ...]],
    document: str | None,
    only: str | None,
    short: bool,
    last: tuple[int, str] | None,
) -> tuple[str, bool]:
    """The product for evidence at ``start`` in a sentence, "" for none, and whether the choice is sure."""
    if index in claims:
        nearest = min(claims[index], key=lambda m: abs(m.start - start))
        return nearest.product, True
    product, sure = _reaching(start - sentences[index].start, index, sentences, places, document, only, short, last)
    patterns = load("products.toml")["pattern"]
    if product and (
        compiled(patterns["borrowed"]).search(sentences[index].text)
        or compiled(patterns["aside"]).search(sentences[index].heading)
    ):
        return "", True
    return product, sure


def _reaching(
    offset: int,
    index: int,
    sentences: Sequence[Sentence],
    places: Mapping[int, tuple[tuple[int, str], ...]],
    document: str | None,
    only: str | None,
    short: bool,
    last: tuple[int, str] | None,
) -> tuple[str, bool]:
    """The product that reaches a sentence in which no claim stands, and whether that is sure."""
    here = sentences[index]
    if index in places:
        before = [product for at, product in places[index] if at <= offset]
        return (before[-1] if before else places[index][0][1]), len({p for _, p in places[index]}) == 1
    heading = here.heading
    under = _in_heading(index, sentences, places)
    named, back = _before(index, sentences, places)
    if back and (not under or here.block - sentences[named].block <= 0):
        # A run of evidence is about one thing until another is named.
        return (last[1] if last and last[0] >= named and index - last[0] <= 2 else back), True
    if under:
        return under, True
    if last is not None and index - last[0] <= 2 and here.heading == sentences[last[0]].heading:
        return last[1], True
    if only and (short or document == only and _about_making(heading)):
        return only, True
    if document and (
        short or _about_making(heading) or compiled(load("products.toml")["pattern"]["own"]).search(here.text)
    ):
        return document, only is not None
    if short:
        return _before(index, sentences, places, anywhere=True)[1], only is not None
    return "", True


@lru_cache(maxsize=1024)
def _about_making(heading: str) -> bool:
    return compiled(load("products.toml")["pattern"]["making"]).search(heading) is not None


def _in_heading(index: int, sentences: Sequence[Sentence], places: Mapping[int, tuple[tuple[int, str], ...]]) -> str:
    """The product that the sentence's own heading names."""
    heading = sentences[index].heading
    for i in range(index - 1, max(-1, index - 60), -1):
        if sentences[i].kind == "heading" and " ".join(sentences[i].text.split()) == heading:
            return places[i][0][1] if i in places else ""
    return ""


def _before(
    index: int,
    sentences: Sequence[Sentence],
    places: Mapping[int, tuple[tuple[int, str], ...]],
    anywhere: bool = False,
) -> tuple[int, str]:
    """Where the product last named before the sentence is, and which: within its section and a few blocks, or anywhere."""
    here = sentences[index]
    for i in range(index - 1, -1, -1):
        if not anywhere and (sentences[i].heading != here.heading or here.block - sentences[i].block > _NEAR):
            return -1, ""
        if i in places:
            return i, places[i][-1][1]
    return -1, ""


_LIVED = ("le", "parent_carer", "public", "mixed")


def resolve(evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """Who "the panel's twelve members" are, once it is known whose panel it is (E12, 2.12).

    Where a product's contributors are named as people with lived experience, a phrase for people that names nobody else follows
    them; a bare number of such people counts them. Members of an organisation that is said to be user-led are LE. Whoever reviewed a
    draft is a reviewer (E21), also where the sentence only says "the group".
    """
    named: dict[str, set[str]] = {}
    user_led = {e.product for e in evidence if e.slot == "ulo" and e.value == "named_user_led"}
    for item in evidence:
        if item.slot == "contributors":
            named.setdefault(item.product, set()).add(item.value)
    seen = {(e.product, e.start) for e in evidence if e.slot == "reviewers"}
    out = []
    for item in evidence:
        known = named.get(item.product, set())
        lived = bool(known & set(_LIVED)) or item.product in user_led
        if lived and item.who == "unclear":
            if item.slot == "contributors" and item.product in user_led:
                item = replace(item, value="le", who="le")
            elif item.slot != "contributors":
                item = replace(item, who="")
        if item.slot == "count" and item.who == "" and lived and known <= {"le", "parent_carer", "unclear"}:
            item = replace(item, detail=_of_lived(item.detail))
        out.append(item)
        if item.slot == "method" and item.value == "draft_review" and (item.product, item.start) not in seen:
            who = item.who or next((kind for kind in _LIVED if kind in known), "")
            if who in _LIVED:
                seen.add((item.product, item.start))
                out.append(replace(item, slot="reviewers", value="le" if who == "mixed" else who, who=who))
    return tuple(out)


def _of_lived(count: Mapping[str, object]) -> dict[str, object]:
    """A count of people said to have lived experience: its bare total is their number."""
    if count.get("le_n") is None and isinstance(count.get("total_n"), int) and count.get("unit") != "organisations":
        return {**count, "le_n": count["total_n"], "total_n": None}
    return dict(count)
