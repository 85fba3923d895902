"""Reports made by hand for the tests of showing: invented documents, with every status and kind of flag.

The PDF is real (written here, read by claimscan.reading), so that offsets, boxes and pictures are real too.
"""

import re
import zlib
from dataclasses import replace
from functools import cache

from claimscan import codebook, reading
from claimscan.records import (
    Evidence,
    Finding,
    Flag,
    Mention,
    Population,
    Product,
    Question,
    Reason,
    Sentence,
    Step,
    Warning_,
)
from claimscan.report import Report

PROVENANCE = {
    "claimscan": "0.1.0",
    "codebook": "1.1",
    "lexicons": "0f" * 32,
    "model": "1e" * 32,
    "config": "2d" * 32,
}

PAGES = [
    [
        "# Northmoor All-Age Autism Strategy",
        "Northmoor Council and Northmoor Health Partnership. "
        "This document is for autistic people of all ages in Northmoor.",
    ],
    [
        "# Foreword",
        "This All-Age Autism Strategy has been co-produced with autistic residents, their families and our health "
        "partners.",
        "Our co-produced strategy has five priorities, and we are proud of the journey that brought us here.",
        "Co-production means people who use a service and people who run it deciding things together.",
    ],
    [
        "# How this strategy was made",
        "The first draft was written by parents and carers from the Northmoor Parent Forum over six evenings.",
        "Some autistic adults looked over the final version before it went to Cabinet.",
        "Everyone worked as equal partners throughout. We could not change the waiting list rules and said so at the "
        "start.",
        "We thank the parents and carers who gave their time.",
    ],
    [
        "# The Hospital Passport",
        "The Hospital Passport, co-produced with people with a learning disability, is now used on every ward.",
        "Nine members of the Wednesday Group met every six weeks from before the first draft, and saw each version.",
        "They told us the old form was too long, so it is now two sides. Members were paid 15 pounds an hour.",
        "An Easy Read version of this plan has been co-produced with the Wednesday Group.",
    ],
    [
        "# Other work",
        "Our co-produced Carers Plan 2024 sets out six priorities.",
        "The Short Breaks Offer was co-produced with our partners across health, housing and the police.",
        "The Talking Autism course was co-produced with autistic trainers, who deliver each session as volunteers and "
        "have their train fares paid. Employers pay 950 pounds a day for it.",
        "The adult diagnosis pathway was co-produced with the Parent Carer Forum, which met us monthly.",
    ],
    [
        "# Further claims",
        "The Housing Protocol was fully co-produced. Because of time, no tenants took part in the Housing Protocol.",
        "Details of our co-produced Sensory Charter are in the engagement report on our website.",
        "Five residents wrote the Quiet Hours Guide with us, and they signed it off at their last meeting.",
    ],
    [
        "# What happens next",
        "We will co-produce a delivery plan by March 2027. We aim to co-design a new front door.",
        "Providers must show how their care model has been co-produced with residents.",
        "Contact: Priya Nair, Co-production Lead.",
        "The Parent Carer Forum told us co-production had improved since 2022.",
        "Our first strategy was written without co-production.",
        "The film, a co-production between two studios, was shown in the town hall.",
        'He wrote: =HYPERLINK("http://example.invalid") <script>alert(1)</script> about co-production.',
    ],
    [],
]


def pdf(pages=PAGES) -> bytes:
    """A small PDF: one list of paragraphs a page; "# " starts a heading, and an empty list is a blank page."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for paragraphs in pages:
        stream, y = [], 770
        for paragraph in paragraphs:
            heading = paragraph.startswith("# ")
            size, text = (20, paragraph[2:]) if heading else (11, paragraph)
            y -= 14
            for line in _wrapped(text, 45 if heading else 88):
                safe = line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
                stream.append(f"BT /F1 {size} Tf 60 {y} Td ({safe}) Tj ET")
                y -= size * 1.35
        data = zlib.compress("\n".join(stream).encode("latin-1"))
        objects.append(b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(data), data))
        kids.append(len(objects) + 1)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % len(objects)
        )
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(b"%d 0 R" % k for k in kids), len(kids))
    out, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def _wrapped(text, width):
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}".strip()
    yield line


class Maker:
    """Makes records for a document from the words they are about."""

    def __init__(self, document):
        self.document = document
        self.mentions, self.evidence = [], []
        self.products, self.findings = [], {}

    def span(self, words):
        pattern = r"\s+".join(re.escape(w) for w in words.split())
        found = re.search(pattern, self.document.text)
        assert found, words
        return found.span()

    def page(self, start):
        return next(p.number for p in self.document.pages if p.start <= start < p.end)

    def mention(self, sentence, trigger, type, product="", **more):
        start, end = self.span(sentence)
        text = self.document.text[start:end]
        at = start + text.lower().index(trigger.lower())
        page = self.page(start)
        record = Mention(
            id=f"m{len(self.mentions) + 1}",
            start=at,
            end=at + len(trigger),
            text=self.document.text[at : at + len(trigger)],
            page=page,
            sentence=Sentence(start, end, text, page, 0, heading=more.pop("heading", "")),
            family=more.pop("family", "core"),
            type=type,
            rule=more.pop("rule", "T4"),
            score=0.912345,
            product=product,
            **more,
        )
        self.mentions.append(record)
        return record.id

    def found(self, product, slot, value, quote, **more):
        start, end = self.span(quote)
        record = Evidence(
            id=f"e{len(self.evidence) + 1}",
            slot=slot,
            value=value,
            start=start,
            end=end,
            quote=self.document.text[start:end],
            page=self.page(start),
            rule=more.pop("rule", f"{slot}.1"),
            score=0.87654321,
            product=product,
            **more,
        )
        self.evidence.append(record)
        return record.id

    def product(self, id, name, grade, ceiling, slots, mentions=(), reasons=(), flags=(), gaps=(), steps=(), **more):
        tables = codebook.tables()
        row = next((level for level in tables.levels if level.id == grade), None) or tables.statuses[grade]
        rules = {f.code: f for f in tables.flags}
        asks = {g.gap: g for g in tables.gaps}
        self.products.append(Product(id, name, more.pop("is_document", False), tuple(mentions)))
        self.findings[id] = Finding(
            product=id,
            grade=grade,
            label=row.label,
            band=getattr(row, "band", ""),
            plain=row.plain,
            supports=getattr(row, "supports", ""),
            ceiling=ceiling,
            proxy_grade=more.pop("proxy_grade", None),
            borderline=more.pop("borderline", False),
            second_reading=more.pop("second_reading", None),
            score=0.8123456,
            slots=slots,
            reasons=tuple(Reason(rule, text, tuple(evidence)) for rule, text, *evidence in reasons),
            next=tuple(Step(*step) for step in steps),
            flags=tuple(Flag(code, rules[code].kind, rules[code].plain, tuple(e)) for code, *e in flags),
            questions=tuple(Question(g, asks[g].ask, asks[g].record.replace("{page}", "the statement")) for g in gaps),
            crosswalk=dict(tables.crosswalk.get(grade, {})),
        )
        assert not more, more


@cache
def strategy() -> Report:
    """A strategy that claims a lot: ten products, every status, and other uses of the word of all kinds."""
    document = reading.read_bytes(pdf(), "strategy.pdf")
    last = replace(document.pages[-1], unread="no text layer: the page is a picture")
    document = replace(document, pages=(*document.pages[:-1], last))
    make = Maker(document)
    whole = PAGES[1][1]
    m = [
        make.mention(
            whole, "co-produced", "DOC_DONE", "p1", thing="This All-Age Autism Strategy", who="autistic residents"
        ),
        make.mention("Our co-produced strategy has five priorities, and we are proud", "co-produced", "DOC_DONE", "p1"),
    ]
    make.mention("Co-production means people who use a service and people who run it", "Co-production", "PRINCIPLE")
    wrote = make.found(
        "p1",
        "authorship",
        "proxy",
        "The first draft was written by parents and carers from the Northmoor Parent Forum",
        who="proxy",
    )
    looked = make.found("p1", "reviewers", "le", "Some autistic adults looked over the final version", who="le")
    final = make.found("p1", "stage", "near_final", "Some autistic adults looked over the final version", who="le")
    some = make.found(
        "p1", "count", "vague", "Some autistic adults", who="le", detail={"kind": "vague", "unit": "people"}
    )
    equal = make.found("p1", "decision_power", "assertion_only", "Everyone worked as equal partners throughout.")
    limits = make.found(
        "p1", "transparency", "limits_acknowledged", "We could not change the waiting list rules and said so"
    )
    thanks = make.found("p1", "mark", "credited", "We thank the parents and carers who gave their time.", who="proxy")
    make.product(
        "p1",
        "this strategy",
        "1",
        "3",
        {
            "authorship": "proxy",
            "reviewers": ["le"],
            "stage": ["near_final"],
            "count": {"kind": "vague", "le_n": None, "total_n": None, "unit": "people"},
            "decision_power": "assertion_only",
            "transparency": ["limits_acknowledged"],
        },
        m,
        is_document=True,
        proxy_grade="5",
        reasons=[
            ("E13", "People were asked, or took part in talking about it.", looked),
            ("2.2", "People are shown taking part only when it was nearly finished, or later.", final),
            ("D1", "The draft was written by people who speak for others, which does not add to the level.", wrote),
            ("D3", "The document only shows people taking part at the end, and does not show what changed.", final),
        ],
        flags=[
            ("proxy-led", wrote, looked),
            ("end-stage-only", final),
            ("word-inflation",),
            ("payment-not-stated",),
            ("no-feedback-loop",),
            ("vague-numbers", some),
            ("assertion-only", equal),
            ("limits-stated", limits),
            ("contributors-credited", thanks),
        ],
        gaps=["feedback_acted", "stage", "decision_power", "payment", "count"],
        steps=[("3", "one thing that changed because of what people said", "feedback_acted")],
    )

    passport = make.mention(
        "The Hospital Passport, co-produced with people with a learning disability, is now used on every ward.",
        "co-produced",
        "OTHER_DONE",
        "p2",
        rule="T3",
    )
    group = "Nine members of the Wednesday Group met every six weeks from before the first draft, and saw each version."
    nine = make.found(
        "p2", "count", "exact", group, who="le", detail={"kind": "exact", "le_n": 9, "total_n": None, "unit": "members"}
    )
    early = make.found("p2", "stage", "start", group, who="le")
    cycles = make.found(
        "p2", "continuity", "cycles_with_return", group, who="le", detail={"frequency": "every six weeks"}
    )
    changed = make.found(
        "p2", "feedback_acted", "specific", "They told us the old form was too long, so it is now two sides.", who="le"
    )
    paid = make.found("p2", "payment", "paid", "Members were paid 15 pounds an hour.", who="le")
    make.product(
        "p2",
        "the Hospital Passport",
        "5",
        "6",
        {
            "count": {"kind": "exact", "le_n": 9, "total_n": None, "unit": "members"},
            "stage": ["start"],
            "continuity": "cycles_with_return",
            "feedback_acted": "specific",
            "payment": "paid",
        },
        [passport],
        reasons=[
            ("2.2", "People took part before there was a full draft.", early),
            ("E10", "The same people came back.", cycles),
            ("2.8", "The document shows something that changed because of people.", changed),
        ],
        flags=[("paid", paid), ("changes-listed", changed)],
        gaps=["decision_power", "authorship", "final_edit"],
        steps=[("6", "how people shared in decisions, such as a vote or a joint sign-off", "decision_power")],
    )
    assert nine

    easy = make.mention(
        "An Easy Read version of this plan has been co-produced with the Wednesday Group.",
        "co-produced",
        "OTHER_DONE",
        "p3",
    )
    make.product(
        "p3",
        "the Easy Read version",
        "N1",
        "6",
        {"contributors": "le"},
        [easy],
        flags=[("claim-unsupported",)],
        gaps=["claim_only", "feedback_acted", "stage"],
        reasons=[("E13", "The document says who, and not what they did.")],
    )
    carers = make.mention(
        "Our co-produced Carers Plan 2024 sets out six priorities.", "co-produced", "OTHER_DONE", "p4"
    )
    make.product(
        "p4",
        "the Carers Plan 2024",
        "N0",
        "6",
        {},
        [carers],
        flags=[("claim-unsupported",)],
        gaps=["claim_only"],
        reasons=[("3.3", "The document makes the claim and nothing else.")],
    )
    breaks = make.mention(
        "The Short Breaks Offer was co-produced with our partners across health, housing and the police.",
        "co-produced",
        "OTHER_DONE",
        "p5",
    )
    partners = make.found("p5", "contributors", "organisations", "our partners across health, housing and the police")
    make.product(
        "p5",
        "the Short Breaks Offer",
        "O",
        "6",
        {"contributors": "organisations"},
        [breaks],
        flags=[("organisations-only", partners)],
        gaps=["claim_only"],
        reasons=[("T10", "Only organisations are named.", partners)],
    )
    course = make.mention(
        "The Talking Autism course was co-produced with autistic trainers, who deliver each session as volunteers and "
        "have their train fares paid.",
        "co-produced",
        "OTHER_DONE",
        "p6",
    )
    fares = make.found("p6", "payment", "expenses_only", "have their train fares paid", who="le")
    sold = make.found("p6", "transparency", "commercial_product", "Employers pay 950 pounds a day for it.")
    make.product(
        "p6",
        "the Talking Autism course",
        "N1",
        "6",
        {"payment": "expenses_only", "transparency": ["commercial_product"], "method": ["co_delivery"]},
        [course],
        flags=[
            ("unpaid-while-commercial", fares, sold),
            ("expenses-only", fares),
            ("commercial-not-disclosed", sold),
            ("claim-unsupported",),
        ],
        gaps=["claim_only", "payment", "transparency"],
        reasons=[("3.3", "Delivering it does not show a part in shaping it.")],
    )
    path = make.mention(
        "The adult diagnosis pathway was co-produced with the Parent Carer Forum, which met us monthly.",
        "co-produced",
        "OTHER_DONE",
        "p7",
    )
    monthly = make.found(
        "p7",
        "continuity",
        "repeated_same_group",
        "the Parent Carer Forum, which met us monthly",
        who="proxy",
        detail={"frequency": "monthly"},
        certainty="borderline",
    )
    make.product(
        "p7",
        "the adult diagnosis pathway",
        "P",
        "6",
        {"continuity": "repeated_same_group"},
        [path],
        proxy_grade="4",
        flags=[("proxy-only", monthly)],
        gaps=["proxies_only"],
        reasons=[("D1", "Those who took part speak for others.", monthly)],
    )
    protocol = make.mention("The Housing Protocol was fully co-produced.", "co-produced", "OTHER_DONE", "p8")
    nobody = make.found("p8", "mark", "negated_whole", "no tenants took part in the Housing Protocol")
    make.product(
        "p8",
        "the Housing Protocol",
        "X",
        "6",
        {},
        [protocol],
        gaps=["claim_only"],
        reasons=[("3.3", "The two statements cannot both hold.", nobody)],
    )
    charter = make.mention(
        "Details of our co-produced Sensory Charter are in the engagement report on our website.",
        "co-produced",
        "OTHER_DONE",
        "p9",
    )
    away = make.found("p9", "mark", "pointer", "are in the engagement report on our website")
    make.product(
        "p9",
        "the Sensory Charter",
        "N2",
        "6",
        {},
        [charter],
        flags=[("evidence-elsewhere", away)],
        gaps=["claim_only"],
        reasons=[("3.3", "The evidence is said to be elsewhere.", away)],
    )
    five = make.found(
        "p10", "authorship", "mixed_with_le", "Five residents wrote the Quiet Hours Guide with us", who="public"
    )
    signed = make.found("p10", "end_role", "signed_off", "they signed it off at their last meeting", who="public")
    make.product(
        "p10",
        "the Quiet Hours Guide",
        "5",
        "6",
        {"authorship": "mixed_with_le", "end_role": "signed_off"},
        (),
        borderline=True,
        second_reading="6",
        gaps=["payment"],
        reasons=[
            ("D0", "People with this experience helped to write it.", five),
            ("3.2", "People were still part of it at the end.", signed),
        ],
        steps=[("6", "how people shared in decisions, such as a vote or a joint sign-off", "decision_power")],
    )

    make.mention("We will co-produce a delivery plan by March 2027.", "co-produce", "COMMIT")
    make.mention("We aim to co-design a new front door.", "co-design", "COMMIT", family="adjacent")
    make.mention("Providers must show how their care model has been co-produced with residents.", "co-produced", "DUTY")
    make.mention("Contact: Priya Nair, Co-production Lead.", "Co-production", "NAME")
    make.mention("The Parent Carer Forum told us co-production had improved since 2022.", "co-production", "REPORTED")
    make.mention("Our first strategy was written without co-production.", "co-production", "NEGATED")
    make.mention("The film, a co-production between two studios", "co-production", "OTHER_SENSE")
    make.mention(
        '=HYPERLINK("http://example.invalid") <script>alert(1)</script> about co-production.', "co-production", "NAME"
    )

    about_start, about_end = make.span("autistic people of all ages in Northmoor")
    spans = [(r.start, r.end) for r in (*make.mentions, *make.evidence)]
    places = reading.locate(document, spans)
    return Report(
        document=document,
        population=Population(
            "autistic people", "all_age", document.text[about_start:about_end], make.page(about_start)
        ),
        mentions=tuple(make.mentions),
        products=tuple(make.products),
        findings=make.findings,
        evidence=tuple(make.evidence),
        boxes={r.id: b for r, b in zip((*make.mentions, *make.evidence), places, strict=True)},
        provenance=PROVENANCE,
    )


@cache
def plain(text="Our parks are open from dawn. We water the beds on Mondays.", name="parks.txt") -> Report:
    """A report on a text with nothing in it."""
    return Report(document=reading.read_text(text, name), population=Population(), provenance=PROVENANCE)


def hostile() -> Report:
    """A one-page text whose every shown part tries to escape: terminal codes, markup, formulas, direction marks."""
    attack = "\x1b]0;owned\x07\x1b[31m<img src=x onerror=alert(1)>\u202egnp.exe"
    text = f"=1+1 {attack} This plan was co-produced. \t@cmd {attack}"
    document = reading.read_text(text, f"{attack}.txt")
    start = document.text.index("co-produced")
    sentence = Sentence(0, len(text), document.text, 1, 0, heading=attack)
    mention = Mention("m1", start, start + 11, "co-produced", 1, sentence, "core", "DOC_DONE", "T4", 0.9, product="p1")
    evidence = Evidence("e1", "authorship", "proxy", 0, len(text), document.text, 1, attack, 0.5, product="p1")
    finding = Finding(
        "p1",
        "N0",
        attack,
        "",
        attack,
        "",
        "6",
        None,
        False,
        None,
        0.5,
        {attack: attack},
        (Reason(attack, attack, ("e1",)),),
        (Step("3", attack, "stage"),),
        (Flag(attack, "concern", attack, ("e1",)),),
        (Question("stage", attack, attack),),
        {attack: attack},
    )
    return Report(
        document=_retitled(document, attack),
        population=Population(attack, "adults", "This plan", 1),
        mentions=(mention,),
        products=(Product("p1", attack, True, ("m1",)),),
        findings={"p1": finding},
        evidence=(evidence,),
        provenance={"claimscan": attack},
    )


def _retitled(document, title):
    return replace(document, title=title, warnings=(Warning_("w", title, 1),))
