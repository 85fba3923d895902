"""Types of mentions: every rule's own examples, our own sentences in six batches, and properties that hold for any text."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimscan import language, mentions, naming, people
from claimscan.lexicon import load
from claimscan.records import Block, Clause, Document, Page, Population, Sentence
from claimscan.sentences import cut, sentences

NOBODY = Population()
BATCHES = Path(__file__).parent / "data" / "types"
GRADABLE = {"DONE", "PRACTICE"}


def unmarked(marked):
    """A sentence with its trigger's marks taken out, and the trigger's offsets."""
    start, end = marked.index("⟪"), marked.index("⟫") - 1
    return marked.replace("⟪", "").replace("⟫", ""), start, end


def document(text, heading="", kind="paragraph", title=""):
    head = f"{heading}\n\n" if heading else ""
    blocks = [Block(0, len(heading), 1, "heading", 2)] if heading else []
    blocks.append(Block(len(head), len(head) + len(text), 1, kind, 1 if kind == "heading" else 0))
    whole = head + text
    return Document("x", "x", "text", whole, (Page(1, 0, len(whole)),), tuple(blocks), title), len(head)


def find(text, **kwargs):
    doc, _ = document(text, **kwargs)
    return mentions.find(tuple(sentences(doc)), naming.titles(doc), NOBODY)


def coarse(kind):
    """T24: in a passage the document cannot be told from another product."""
    return "DONE" if kind in ("DOC_DONE", "OTHER_DONE") else kind


# --- each rule's own examples -----------------------------------------------------------------------------------------


def examples(name):
    return [
        pytest.param(rule, text, wanted, id=f"{rule['id']}-{key}{i}")
        for rule in load("mentions.toml")[name]
        for key, wanted in (("yes", True), ("no", False))
        for i, text in enumerate(rule.get(key, ()))
    ]


@pytest.mark.parametrize("rule, text, wanted", examples("rule"))
def test_type_rule_examples(rule, text, wanted):
    """An example is a sentence, or a table with it and what its rule rests on besides: heading, title or kind of block."""
    example = {"text": text} if isinstance(text, str) else text
    text = example["text"]
    plain, start, end = unmarked(text)
    kind = example.get("kind", rule.get("kind", ["paragraph"])[0])
    sentence = Sentence(0, len(plain), plain, 1, 0, kind, example.get("heading", ""))
    clause = language.clauses([(plain, start, end)])[0]
    masked = mentions.masked(plain, start, end, NOBODY)
    assert mentions.fits(rule, sentence, clause, text, masked, titles=example.get("title", "")) is wanted


@pytest.mark.parametrize("rule, text, wanted", examples("welsh"))
def test_welsh_rule_examples(rule, text, wanted):
    plain, *_ = unmarked(text)
    assert mentions.fits(rule, Sentence(0, len(plain), plain, 1, 0), Clause("noun", "none"), text, text) is wanted


@pytest.mark.parametrize("rule, text, wanted", examples("nothing"))
def test_nothing_rule_examples(rule, text, wanted):
    plain, *_ = unmarked(text)
    assert mentions.voids(rule, Sentence(0, len(plain), plain, 1, 0), text) is wanted


@pytest.mark.parametrize("phrase, text, wanted", examples("phrase"))
def test_phrase_trigger_examples(phrase, text, wanted):
    assert any(m.family == "phrase" for m in find(text)) is wanted


def test_every_rule_is_known_and_shows_what_it_does():
    for name in ("rule", "welsh"):
        rules = mentions.type_rules(name)
        assert all(r["note"] for r in rules)
        assert all(r["yes"] and r["no"] for r in rules)
    assert {r["type"] for r in mentions.type_rules()} >= {"DONE", "PRACTICE", *mentions.MENTION_TYPES} - {
        "DOC_DONE",
        "OTHER_DONE",
    }


# --- our own sentences ------------------------------------------------------------------------------------------------
# What a batch scored when it was first run, before any rule was changed for it: dev 0.69 (gradable F1 0.74, with the rules of
# the first version), held 0.83 (0.84), fresh 0.66 (0.68), last 0.68 (0.77), kinds
# 0.38 (0.51; errors were sought), pages 0.59 (0.54). Those, not the floors, say how unseen text fares.

FLOORS = {
    "dev": (0.97, 0.96),
    "held": (0.96, 0.96),
    "fresh": (0.96, 0.96),
    "last": (0.95, 0.93),
    "kinds": (0.91, 0.89),
    "pages": (0.96, 0.95),
}


def scored(batch):
    groups = tomllib.loads((BATCHES / f"{batch}.toml").read_text(encoding="utf-8"))["group"]
    pairs = []
    for group in groups:
        for marked in group["texts"]:
            plain, start, end = unmarked(marked)
            doc, offset = document(plain, group.get("heading", ""), group.get("kind", "paragraph"))
            found = mentions.find(tuple(sentences(doc)), naming.titles(doc), NOBODY)
            hit = next((m for m in found if m.start < offset + end and m.end > offset + start), None)
            pairs.append((group["type"], coarse(hit.type) if hit else "NOT_A_MENTION", marked))
    return pairs


@pytest.mark.parametrize("batch", FLOORS)
def test_batch_keeps_its_floor(batch):
    pairs = scored(batch)
    wrong = [p for p in pairs if p[0] != p[1]]
    both = sum(g in GRADABLE and p in GRADABLE for g, p, _ in pairs)
    f1 = 2 * both / (sum(g in GRADABLE for g, *_ in pairs) + sum(p in GRADABLE for _, p, _ in pairs))
    accuracy, gradable = FLOORS[batch]
    assert 1 - len(wrong) / len(pairs) >= accuracy, wrong
    assert f1 >= gradable, wrong


def test_the_batches_cover_every_type_and_share_no_sentence():
    texts = []
    kinds = set()
    for batch in FLOORS:
        for group in tomllib.loads((BATCHES / f"{batch}.toml").read_text(encoding="utf-8"))["group"]:
            kinds.add(group["type"])
            texts += [(t, group.get("heading"), group.get("kind")) for t in group["texts"]]
    assert len(texts) == len(set(texts)) >= 210
    assert kinds == {"DONE", "NOT_A_MENTION", *mentions.MENTION_TYPES} - {"DOC_DONE", "OTHER_DONE"}


# --- the codebook's own examples (section 1.3 and section 6) -----------------------------------------------------------


@pytest.mark.parametrize(
    "text, wanted",
    [
        (
            "This All-Age Autism Strategy has been co-produced with autistic residents, their families and our health partners.",
            ["DONE"],
        ),
        ("The plan was co-produced in 2023 and will be co-produced again in 2026.", ["DONE", "COMMIT"]),
        ("Only the housing chapter has been co-produced so far.", ["DONE"]),
        ("We committed to co-produce this strategy.", ["COMMIT"]),
        ("The co-produced plan will be delivered by our partners.", ["DONE"]),
        ("This Co-production Strategy was itself co-produced by members of our Citizens' Panel.", ["NAME", "DONE"]),
        ("Families told us the pathway felt done to them, not co-produced.", ["REPORTED"]),
        ("This refresh was not co-produced because of the pre-election period.", ["NEGATED"]),
        ("Mae'r strategaeth hon wedi'i chydgynhyrchu â phobl awtistig.", ["DONE"]),
        ("An economic model in which patients co-produce health", ["PRINCIPLE"]),
        ("Was this policy co-produced? Yes ☒", ["DONE"]),
    ],
)
def test_codebook_examples(text, wanted):
    assert [coarse(m.type) for m in find(text)] == wanted


def test_scope_and_hedge():
    part = find("Chapter 4 of this plan was co-produced with tenants.")[0]
    assert (part.scope, part.hedge) == ("part", False)
    assert find("The plan was developed in the spirit of co-production with tenants.")[0].hedge


def test_the_document_and_another_product():
    text = "This strategy was co-produced with carers. The film was co-produced with carers."
    assert [m.type for m in find(text, title="Carers Strategy 2025")] == ["DOC_DONE", "OTHER_DONE"]


@pytest.mark.parametrize(
    "text, thing, who",
    [
        (
            "The Hospital Passport, co-produced with people with a learning disability, is in use.",
            "The Hospital Passport",
            "people with a learning disability",
        ),
        ("Tenants co-produced the repairs charter.", "the repairs charter", "Tenants"),
        ("It replaces our co-produced repairs policy.", "our co-produced repairs policy", ""),
        ("The leaflet, which was co-designed with patients, is out.", "The leaflet", "patients"),
        ("Cafodd y Cerdyn Glas ei gyd-ddylunio gyda theithwyr hŷn.", "Cerdyn Glas", "theithwyr hŷn"),
    ],
)
def test_thing_and_who_are_as_printed(text, thing, who):
    found = find(text)[0]
    assert (found.thing, found.who) == (thing, who)


def test_a_reference_list_holds_no_mention():
    assert find("Power and co-production in housing.", heading="References") == ()


# --- properties -------------------------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    "co-produced co-design Co-production cydgynhyrchu the plan will was not with tenants, we should (2019) • | ? “ . https://x/".split()
)
TEXTS = st.one_of(
    st.lists(WORDS, min_size=1, max_size=14).map(" ".join), st.text(max_size=80).map(lambda t: t + " co-produced " + t)
)


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_any_text_gives_mentions_that_are_in_it(text):
    doc, _ = document(text)
    found = mentions.find(tuple(sentences(doc)), "", NOBODY)
    assert [m.id for m in found] == [f"m{i}" for i in range(1, len(found) + 1)]
    assert [m.start for m in found] == sorted(m.start for m in found)
    for m in found:
        assert doc.text[m.start : m.end] == m.text
        assert m.sentence.start <= m.start < m.end <= m.sentence.end
        assert m.type in mentions.MENTION_TYPES
        assert m.thing in m.sentence.text and m.who in m.sentence.text


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=" abA.!?\n•*-1#:;", max_size=120))
def test_cutting_loses_no_word(text):
    spans = list(cut(text))
    assert all(a < b and text[a:b].strip() for a, b in spans)
    assert all(spans[i][1] <= spans[i + 1][0] for i in range(len(spans) - 1))
    assert "".join("".join(text[a:b].split()) for a, b in spans) == "".join(text.split())


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("Done: • One thing • Another thing", ["Done:", "• One thing", "• Another thing"]),
        ("2.1 Housing and health The borough is young.", ["2.1 Housing and health", "The borough is young."]),
        ("Was it co-produced? No.", ["Was it co-produced? No."]),
        (
            "He lives in The Hague. She left at 3 p.m. and slept.",
            ["He lives in The Hague.", "She left at 3 p.m. and slept."],
        ),
        ("We met. **To join,** write to us.", ["We met.", "**To join,** write to us."]),
    ],
)
def test_cutting_text_that_lost_its_line_ends(text, wanted):
    assert [text[a:b] for a, b in cut(text)] == wanted


def test_no_trigger_loads_no_parser():
    import subprocess
    import sys

    code = (
        "import sys; from claimscan import mentions; from claimscan.records import *; "
        "t='The bins go out on Monday.'; assert mentions.find((Sentence(0,len(t),t,1,0),),'',Population())==(); sys.exit('spacy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_masked_keeps_every_offset():
    text = "Six autistic adults co-wrote it with tenants."
    start = text.index("co-wrote")
    masked = mentions.masked(text, start, start + len("co-wrote"), NOBODY)
    assert (
        len(masked) == len(text) + 2
        and "⟪co-wrote⟫" in masked
        and masked.count("⟦") == people.mask(text, NOBODY).count("⟦")
    )
