"""Text as a file gives it becomes text as a person would type it, and each character remembers where it came from."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple


class Run(NamedTuple):
    """``text[start:end]`` of the document was written from ``length`` characters of ``page``'s text at ``source``.

    A negative length is the whole page.
    """

    start: int
    end: int
    page: int
    source: int
    length: int


HYPHENS = ("-", "\u2010", "\u2011", "\x02", "\ufffe", "\u00ad")
UNSEEN = ("\x02", "\ufffe", "\u00ad")
_UNPRINTED = "\xad\u200b\ufeff"
_PUNCTUATION = ".,;:!?()[]\"'“”‘’…"
_WORD_END = re.compile(r"[^\W_]+\Z")
_LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "ft", "ﬆ": "st"}
# What is rewritten: line ends, hyphens that pdfium marks at a line's end, ligatures, characters that are not printed,
# and white space that is not one space. Each pattern has a cheap one that says whether it is needed at all.
_ODD = re.compile("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f\xa0\xad\u2002-\u200b\ue000-\uf8ff\ufb00-\ufb06\ufeff\ufffd-\uffff]")
_UNTIDY = re.compile(
    "\\s*[\r\n]\\s*|[\x02\ufffe]|[ﬀ-ﬆ]|[\x00\x01\x03-\x08\x0e-\x1f\x7f\xad\u200b\ufeff\uffff\ufffd]"
    "|[ \t\xa0\u2002-\u200a]{2,}|[\t\xa0]"
)
_UNTIDY_PAGE = re.compile(_UNTIDY.pattern.split("|", 1)[1])
_UNMAPPED = re.compile("[\ue000-\uf8ff\ufffd\x00-\x08\x0b\x0e-\x1f\x7f\ufffe\uffff]")
_RUNS_ON = re.compile("\n(?:(?<=[a-z,]\n)(?=[a-z(])|(?<=-\n)(?=[a-z]))")
LAST_WORD = re.compile(r"([^\W_]+)[-\u2010\u2011\x02\ufffe\u00ad]$")
FIRST_WORD = re.compile(r"[^\W_]+")
_CO = re.compile(
    r"(?:produc|design|creat|develop|writ|wrote|author|ordinat|operat|locat|chair|lead|led\b|deliver|opt|exist|facilit|"
    r"own|commission|evaluat|research|plan|signator|fund|work|construct|decid|govern|host|found|edit|learn)",
    re.IGNORECASE,
)
_WHOLE = frozenset(
    "all anti cross ex full half high inter long low mid multi non off on one over part post pre pro re self semi "
    "short sub two user well peer community person people service evidence trauma child family parent young older "
    "decision third follow face year easy real day week end cost up".split()
)


def is_unmapped(text: str) -> bool:
    """Whether most of a text is what pdfium gives for shapes that no table names: its letters are not known."""
    if _ODD.search(text) is None:
        return False
    return 2 * len(_UNMAPPED.findall(text)) > len("".join(text.split()))


def words_of(text: str) -> frozenset[str]:
    """The words of a text in small letters, hyphenated ones whole and with a plain hyphen."""
    text = text.lower().replace("\u2010", "-").replace("\u2011", "-")
    return frozenset(word.strip(_PUNCTUATION) for word in set(text.split()))


def keeps_hyphen(before: str, after: str, known: frozenset[str]) -> bool:
    """Whether a word split as ``before`` + hyphen at a line's end + ``after`` has that hyphen when it is not split.

    ``known`` are the words of the document, where the compound or the whole word may stand unbroken.
    """
    first, second = before.lower(), after.lower()
    if first == "co":
        return bool(_CO.match(second)) or f"co-{second}" in known
    if after[:1].isupper() or after[:1].isdigit() or first[-1:].isdigit():
        return True
    if f"{first}-{second}" in known:
        return True
    return first in _WHOLE and f"{first}{second}" not in known


class Tidier:
    """Tidies text of one document. ``words`` gives its text, in which a broken word may stand whole; asked for once."""

    def __init__(self, words: Callable[[], str]) -> None:
        self._words = words
        self._known: frozenset[str] | None = None

    def keeps(self, before: str, after: str) -> bool:
        """As :func:`keeps_hyphen`, in this document."""
        if self._known is None:
            self._known = words_of(self._words())
        return keeps_hyphen(before, after, self._known)

    def tidy(self, text: str) -> str:
        """One block's text: line ends become spaces, ligatures letters, and hyphens at line ends are resolved."""
        return _UNTIDY.sub(self._tidied, text) if "\n" in text or "  " in text or _ODD.search(text) else text

    def _tidied(self, found: re.Match[str]) -> str:
        what = found[0]
        if what in _LIGATURES:
            return _LIGATURES[what]
        if what in "\x02\ufffe":
            before = _WORD_END.search(found.string, 0, found.start())
            after = FIRST_WORD.match(found.string, found.end())
            return "" if before and after and not self.keeps(before[0], after[0]) else "-"
        return " " if what.isspace() else ""

    def flatten(self, text: str) -> str:
        """A whole page's text at once, quickly: lines that plainly run on are joined, the others keep their newline."""
        text = text.replace(" \r\n", "\n").replace("\r\n", "\n").replace("\r", "\n")
        text = _RUNS_ON.sub(" ", text)
        if "  " in text or _ODD.search(text):
            text = _UNTIDY_PAGE.sub(self._tidied, text)
        return text.strip()


def places(text: str, source: str) -> list[int]:
    """For each character of ``text``, the index of the character of ``source`` it was written from by tidying."""
    found = []
    at = 0
    for character in text:
        if character.isspace():
            found.append(min(at, len(source) - 1))
            while at < len(source) and (source[at].isspace() or source[at] in _UNPRINTED):
                at += 1
            continue
        start = at
        while at < len(source) and source[at] != character and character not in _LIGATURES.get(source[at], ""):
            if character == "-" and source[at] in UNSEEN:
                break
            at += 1
        if at == len(source):
            at = start
        found.append(min(at, len(source) - 1))
        expanded = _LIGATURES.get(source[at] if at < len(source) else "", "")
        if not expanded or character == expanded[-1] and found[-len(expanded) :].count(at) == len(expanded):
            at += 1
    return found
