"""Groups mentions of the same thing into products, and finds things that the document says people made without a trigger word.

One product is one graded claim: fourteen mentions of one strategy are one product (codebook section 0, T4, T22, E20).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from claimscan import naming, people
from claimscan.lexicon import compiled, load
from claimscan.needs import Needs
from claimscan.records import Evidence, Mention, Population, Product, Sentence

ACCOMPLISHED = frozenset({"DOC_DONE", "OTHER_DONE"})
# Evidence that says people took part; a product without a trigger word needs one of these (E20).
TOOK_PART = frozenset(
    {
        "contributors",
        "authorship",
        "reviewers",
        "method",
        "stage",
        "feedback_acted",
        "continuity",
        "decision_power",
        "count",
    }
)
_SHORT = 2400  # characters; a page
_LONG = 60_000  # characters; in longer ones too much is named for a name and a part taken to be enough
_PARAGRAPH = 1200  # characters; a passage, which is about one thing
PRONOUNS = frozenset({"it", "they", "which", "that", "this", "them", "these", "everything", "all", "one"})


def group(
    mentions: Sequence[Mention], look: Callable[[int], Sequence[Evidence]], sentences: Sequence[Sentence], titles: str
) -> tuple[tuple[Product, ...], tuple[Mention, ...]]:
    """Products from mentions.

    Args:
        mentions: all mentions of the document, in reading order.
        look: gives the evidence of the sentence at an index; a PRACTICE mention makes a product only with evidence beside it (T22).
        sentences: all sentences of the document, in order; a pronoun stands for what the sentence before names.
        titles: the document's own names (:func:`claimscan.naming.titles`).

    Returns:
        The products in order of first mention, ids p1, p2 ..., and the mentions with ``product`` set where they belong to one. A
        claim that turns out to be about the document itself has become DOC_DONE (T4).
    """
    clusters: list[_Cluster] = []
    placed: dict[str, int] = {}
    starts = [s.start for s in sentences]
    spoken = list(mentions)
    for i, mention in enumerate(spoken):
        index = bisect_right(starts, mention.sentence.start) - 1
        if mention.type not in ACCOMPLISHED and not (mention.type == "PRACTICE" and _described(index, look, sentences)):
            continue
        label = _labelled(mention, sentences, index)
        thing = _beside(mention) or naming.name(mention.thing or label)
        if label and not mention.thing:
            spoken[i] = mention = replace(mention, type="OTHER_DONE" if mention.type == "DOC_DONE" else mention.type)
        elif mention.type != "DOC_DONE" and (not thing.head or thing.phrase.lower() in PRONOUNS):
            thing = _antecedent(mention, sentences, index, titles)
        in_form = (
            thing.bare and compiled(load("products.toml")["pattern"]["form"]).search(mention.sentence.text) is not None
        )
        document = (
            mention.type == "DOC_DONE"
            or in_form
            or naming.stands_for_document(thing, titles)
            or (not thing.head and mention.type == "OTHER_DONE")
        )
        if document and _of_another_year(mention, titles):
            document, thing = False, replace(thing, other=True)
            spoken[i] = mention = replace(mention, type="OTHER_DONE")
        if document and mention.type == "OTHER_DONE":
            spoken[i] = mention = replace(mention, type="DOC_DONE")
        at = next((n for n, cluster in enumerate(clusters) if _joins(cluster, thing, document)), None)
        if at is None:
            clusters.append(_Cluster(thing, document, []))
            at = len(clusters) - 1
        else:
            known = clusters[at]
            # The fuller name is kept, so that "the strategy" does not hide "the Carers Strategy".
            best = max(known.thing, thing, key=lambda n: (len(n.marks), n.head not in ("", "document")))
            clusters[at] = _Cluster(best, known.document or document, known.mentions)
        clusters[at].mentions.append(mention.id)
        placed[mention.id] = at
    products = tuple(
        Product(f"p{n}", _label(c.thing, c.document), c.document, tuple(c.mentions)) for n, c in enumerate(clusters, 1)
    )
    linked = tuple(replace(m, product=f"p{placed[m.id] + 1}") if m.id in placed else m for m in spoken)
    return products, _attach_others(linked, products, clusters, titles)


@dataclass(frozen=True, slots=True)
class _Cluster:
    """Mentions of one thing: its fullest name so far, whether it is the document, and the mentions' ids."""

    thing: naming.Name
    document: bool
    mentions: list[str]


def _joins(cluster: _Cluster, thing: naming.Name, document: bool) -> bool:
    if document or cluster.document:
        return document and cluster.document
    return naming.same(cluster.thing, thing)


def _labelled(mention: Mention, sentences: Sequence[Sentence], index: int) -> str:
    """The label before a fragment that names nothing itself: "Consent animation. Co-created in 2025."."""
    here = sentences[index]
    before = sentences[index - 1] if index else here
    opens = not here.text[: mention.start - here.start].strip(" \"'\u201c\u2018")
    if not opens or before is here or before.block != here.block:
        return ""
    label = _LABEL.match(before.text)
    return label["label"] if label else ""


_YEAR = re.compile(r"\b(?:19|20)\d\d\b")


def _of_another_year(mention: Mention, titles: str) -> bool:
    """Whether a claim is about an edition of another year than the document's: "our co-produced strategy of 2020" in that of 2026."""
    text, at = mention.sentence.text, mention.end - mention.sentence.start
    after = re.match(r"(?: [\w\u2019'-]+){0,4}? (?:of|from|for) ((?:19|20)\d\d)\b", text[at:])
    years = _YEAR.findall(titles)
    return after is not None and bool(years) and after[1] < min(years)


_STRAIGHT_ON = re.compile(r"^\W*(?:(?:which|that) (?:was|were|has been|have been) )?(?:\w+ly )?$")


def _beside(mention: Mention) -> naming.Name | None:
    """The thing named straight before a participle ("our checklist, co-created in the spring"), which a parser may miss."""
    before = mention.sentence.text[: mention.start - mention.sentence.start]
    for _, end, thing in naming.references(before):
        if _STRAIGHT_ON.match(before[end:]) and end < len(before):
            return thing
    return None


def _antecedent(mention: Mention, sentences: Sequence[Sentence], index: int, titles: str) -> naming.Name:
    """What "it" is: the last thing named before it in its sentence, else the first in the sentence before, up to three back."""
    here = sentences[index]
    said = here.text[: mention.start - here.start]
    if any(line.count(" ") and line in said for line in titles.split(" / ")):
        return naming.name("this document")
    before = [n for _, _, n in naming.references(said)]
    if before:
        return before[-1]
    after = [n for _, _, n in naming.references(here.text[mention.end - here.start :])]
    if after and not mention.thing:
        return after[0]
    opening = ""
    for back in range(index - 1, max(-1, index - 4), -1):
        before_it = sentences[back]
        if here.block - before_it.block > 1:
            break
        found = [n for _, _, n in naming.references(before_it.text)]
        if found:
            return found[0]
        if label := _LABEL.match(before_it.text):
            return naming.name(label["label"])
        if here.block == before_it.block and (opens := _OPENS.match(before_it.text)):
            opening = opens["thing"]
    return naming.name(opening)


# "Consent animation. Co-created in 2025." and "The bulky waste line opened in January. It was co-designed with tenants."
_LABEL = re.compile(
    r"(?:\d[\d.]*\s+)?(?P<label>(?:[A-Z\u201c\u2018\"'][\w\u2019\u201d'\"-]*)(?: [\w\u2019\u201d'\"-]+){0,5})[.:]$"
)
_OPENS = re.compile(
    r"(?:\d[\d.]*\s+)?(?P<thing>(?:The|A|An|Our|Its|Their) (?:[\w\u2019'-]+ ){1,5}?)"
    r"(?=(?:was|is|has|had|came|opened|went|started|began|lasts|runs|takes|shows|tells|gives|sets|covers|now|on|for|at|in)\b)"
)


def _label(thing: naming.Name, document: bool) -> str:
    phrase = " ".join(thing.phrase.split())
    if not thing.head or (document and phrase.lower() in PRONOUNS):
        return "this document" if document else "something the document does not name"
    return phrase[:120]


def _described(index: int, look: Callable[[int], Sequence[Evidence]], sentences: Sequence[Sentence]) -> bool:
    """T22: a practice is graded only where a body or an activity is described in its sentence or the next."""
    reach = sentences[index].end + 2
    while index < len(sentences) and sentences[index].start <= reach:
        if any(e.start <= reach and e.slot in TOOK_PART for e in look(index)):
            return True
        index += 1
    return False


def _attach_others(
    mentions: tuple[Mention, ...], products: tuple[Product, ...], clusters: Sequence[_Cluster], titles: str
) -> tuple[Mention, ...]:
    """REPORTED and NEGATED mentions belong to the product they are about, for the reader and for X and honest-negative."""
    out = []
    for mention in mentions:
        if not mention.product and mention.type in ("REPORTED", "NEGATED") and products:
            thing = naming.name(mention.thing)
            if not thing.head:  # the last thing named before it: "the pathway felt done to them, not co-produced"
                before = mention.sentence.text[: mention.start - mention.sentence.start]
                thing = next((n for _, _, n in reversed(list(naming.references(before)))), thing)
            for product, cluster in zip(products, clusters, strict=True):
                about_document = cluster.document and naming.stands_for_document(thing, titles)
                if about_document or (thing.head and naming.same(cluster.thing, thing)):
                    mention = replace(mention, product=product.id)
                    break
        out.append(mention)
    return tuple(out)


def described(
    linked: Mapping[int, Sequence[Evidence]],
    look: Callable[[int], Sequence[Evidence]],
    sentences: Sequence[Sentence],
    known: Sequence[Product],
    mentions: Sequence[Mention],
    titles: str,
    population: Population,
) -> tuple[tuple[Product, ...], dict[int, tuple[Evidence, ...]]]:
    """Products described without a trigger word (E20): a named thing, and somebody said to have taken part in making it.

    Args:
        linked: evidence by the index of its sentence, where it was looked for; only what no product has taken counts here.
        look: gives the evidence of the sentence at any other index.
        sentences: all sentences of the document, in order.
        known: the products there are already.
        mentions: all mentions; a sentence on co-production in general or on others' duty makes no product.
        titles: the document's own names.
        population: whom the document is about.

    In a document longer than a few pages the sentence itself must say that people took part in making the thing (the
    ``made`` patterns of products.toml); a short one is about one thing, which may be named in the next sentence.

    Returns:
        New products, and by the index of its sentence the evidence that made or joined one, with its product.
    """
    length = sum(len(s.text) for s in sentences)
    short, one_thing = length < _SHORT, length < _PARAGRAPH
    found: list[tuple[naming.Name, bool]] = []
    made: list[list[int]] = []
    own: dict[int, bool] = {}
    general = {m.sentence.start for m in mentions if m.type in ("PRINCIPLE", "DUTY", "OTHER_SENSE")}
    names = [naming.name(p.name) for p in known]
    claimed = {m.sentence.start for m in mentions if m.product}
    for index, sentence in enumerate(sentences):
        if not short and sentence.start in general:
            continue
        made_here = says_made(sentence.text, population)
        alone = sentence.start in claimed or length > _LONG
        fresh = None if alone else _fresh(sentence, names, titles, made_here)
        if not short and not made_here and fresh is None:
            continue
        items = linked.get(index) or look(index)
        if sentence.start in general and all(item.slot == "contributors" for item in items):
            continue
        if fresh is not None and not any(_by_itself(item) or made_here and _lived(item) for item in items):
            fresh = None
        # What a nearer product has taken is free again where the sentence says it of a thing of its own.
        free = items if fresh is not None else [item for item in items if not item.product]
        if not any(_took_part(item, sentence, made_here) for item in free):
            continue
        patterns = load("products.toml")["pattern"]
        if any(compiled(patterns[name]).search(sentence.text) for name in ("borrowed", "negated")):
            continue
        thing = fresh or _thing_near(index, sentences, short, made_here)
        if thing is None and one_thing and any(_did_it(item) for item in items):
            thing = naming.name("")  # a passage cut out of a page may leave unnamed what it is about
        if thing is None:
            continue
        document = naming.stands_for_document(thing, titles) or (thing.deictic and not thing.other)
        if one_thing and found:
            made[0].append(index)
            continue
        own[index] = fresh is not None
        same = next(
            (
                i
                for i, (k, d) in enumerate(found)
                if (document and d)
                or (document == d and naming.same(k, thing))
                or (k.head == thing.head and (k.bare or thing.bare))
            ),
            None,
        )
        if same is None:
            found.append((thing, document))
            made.append([index])
        else:
            made[same].append(index)
    products: list[Product] = []
    joined: dict[int, tuple[Evidence, ...]] = {}
    for (thing, document), indexes in zip(found, made, strict=True):
        taken = next((p for p in known if p.is_document and document or naming.same(naming.name(p.name), thing)), None)
        name = taken.id if taken else f"p{len(known) + len(products) + 1}"
        if taken is None:
            products.append(Product(name, _label(thing, document), document))
        for index in indexes:
            joined[index] = tuple(
                item if item.product and not own.get(index) else replace(item, product=name)
                for item in linked.get(index) or look(index)
            )
    return tuple(products), joined


def _fresh(sentence: Sentence, known: Sequence[naming.Name], titles: str, made_here: bool) -> naming.Name | None:
    """A thing that the sentence names (where it says that it was made), or its heading, and that is no product yet and not the
    document."""
    for text in (sentence.text,) if made_here else (sentence.heading,):
        for _, _, thing in naming.references(text):
            if thing.part or thing.deictic or naming.stands_for_document(thing, titles):
                continue
            if not any(naming.same(thing, name) for name in known):
                return thing
    return None


def _by_itself(item: Evidence) -> bool:
    """Evidence that can only be about a thing that is being made."""
    if item.slot == "authorship":
        return item.value in ("le", "mixed_with_le", "le_org", "proxy", "mixed_no_le")
    strong = item.slot in ("reviewers", "final_edit") or (item.slot, item.value) in _OF_A_MAKING
    return strong and item.who in ("le", "parent_carer", "public", "mixed", "proxy")


def _lived(item: Evidence) -> bool:
    return item.slot == "contributors" and item.value in ("le", "parent_carer", "public", "mixed")


_OF_A_MAKING = frozenset(
    {("feedback_acted", "loop"), ("continuity", "cycles_with_return"), ("stage", "mid_draft"), ("stage", "near_final")}
    | {("stage", "design"), ("stage", "start"), ("mark", "task")}
)


def _took_part(item: Evidence, sentence: Sentence, made_here: bool) -> bool:
    """Evidence that by itself says that people took part: who they were, or that they wrote, saw or were asked."""
    if item.slot == "mark" and item.value == "task":
        return item.who in ("le", "parent_carer", "public", "mixed")
    if item.slot == "method" and compiled(load("products.toml")["pattern"]["consulted"]).search(sentence.text):
        return True
    if item.slot == "contributors":
        return item.value not in ("none", "professional", "organisations") and (item.value != "proxy" or made_here)
    if item.slot == "authorship":
        return item.value in ("le", "mixed_with_le", "le_org", "proxy", "mixed_no_le")
    if item.slot == "reviewers":
        return item.value != "professional"
    return item.slot in ("method", "stage", "feedback_acted") and item.who in (
        "le",
        "parent_carer",
        "public",
        "mixed",
        "proxy",
    )


def _did_it(item: Evidence) -> bool:
    """Evidence of an activity with people with lived experience, not only of who they were."""
    shown = item.slot in ("method", "stage", "continuity", "reviewers")
    return shown and item.who in ("le", "parent_carer", "public", "mixed")


_STOP = re.compile("[.;]")  # no pattern of ``made`` runs over one


@cache
def _needs(masked: bool) -> Needs:
    return Needs((rule["pattern"] for rule in load("products.toml")["made"]), masked)


def possible(text: str) -> bool:
    """Whether a page as printed may say that people took part in making something (E20), at little cost.

    It looks between full stops, so an abbreviation inside a match ("Dr. ...") can hide one: measured, not proven.
    """
    needed = _needs(False)
    if not needed.any_may_match(needed.met(text)):
        return False
    for piece in _STOP.split(text):
        if needed.any_may_match(needed.met(piece)):
            # Whom the document is about is not known yet, so a body may turn out to be people.
            masked = people.mask(piece, Population()).replace("⟦B", "⟦U")
            if any(compiled(rule["pattern"]).search(masked) for rule in _may_say(masked)):
                return True
    return False


def _may_say(masked: str) -> Iterator[dict[str, str]]:
    """The ``made`` rules whose needs a masked text meets."""
    met = _needs(True).met(masked)
    return (rule for i, rule in enumerate(load("products.toml")["made"]) if _needs(True).may_match(i, met))


def says_made(text: str, population: Population) -> bool:
    if not _needs(False).any_may_match(_needs(False).met(text)):
        return False
    masked = people.mask(text, population)
    for rule in _may_say(masked):
        if compiled(rule["pattern"]).search(masked) and not compiled(rule["unless"]).search(masked):
            return True
    return False


_IT = re.compile(r"(?i)\bit\b")


def _thing_near(index: int, sentences: Sequence[Sentence], wide: bool, made_here: bool) -> naming.Name | None:
    """The thing that a sentence is about: named in it, else in the sentence before or after, else in its heading.

    A sentence that does not itself say what was made is about what the heading above it points to ("How this plan was
    made"). Parts ("the priorities", "the final version") are of some thing, and stand for themselves only where none is named.
    """
    here = sentences[index]
    above = [n for _, _, n in naming.references(here.heading) if n.deictic]
    if above and not made_here:
        return above[0]
    candidates = [here.text]
    for other in (index - 1, index + 1):
        reach = wide or (made_here and other < index and _IT.search(here.text))
        if reach and 0 <= other < len(sentences) and abs(sentences[other].block - here.block) <= 1:
            candidates.append(sentences[other].text)
    if wide:
        candidates.append(here.heading)
    named = [[n for _, _, n in naming.references(text)] for text in candidates]
    for names in ([[n for n in here if not n.part] for here in named], named):
        if best := next(filter(None, names), None):
            return max(
                best,
                key=lambda n: (
                    n.deictic,
                    compiled(load("products.toml")["pattern"]["document"]).search(n.phrase) is not None,
                ),
            )
    return None
