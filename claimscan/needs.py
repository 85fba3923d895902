"""What must stand in a text for a pattern to match it at all: a cheap look that saves most searches and most compiling.

A pattern of a rule file is read as written, lists and all, without compiling it. What comes out is a necessary condition
and never a sufficient one, so leaving a pattern untried where it fails cannot change a result.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from itertools import product
from typing import Any

import ahocorasick_rs

from claimscan.errors import RuleError
from claimscan.lexicon import load

Either = frozenset[str]  # one of these strings must occur in the text, both as plainly() gives them
Branch = list["Either | Choice"]  # all of these must be met
Choice = list[Branch]  # one of these must be met
Exact = set[str] | None  # all that a part of a pattern can spell, or None where that is more than can be listed

_SHORTEST = 3  # characters; shorter strings are in every sentence
_MOST = 24  # strings that one run of pieces may stand for, where it has choices such as [LF] or (?:told|asked)
# The pieces of a pattern: edges of words, escapes, classes, brackets that open (a look-around takes no letter), lists, letters,
# the rest.
_PIECE = re.compile(
    r"(?P<edge>\\b|\(\?<?!(?:\\w|\[\\w[^\]\\]*\])\))|(?P<escape>\\.)|(?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])|(?P<look>\(\?<?[=!])"
    r"|(?P<open>\((?:\?(?:P<\w+>|\(\w+\)|-?i:|:))?)|(?P<close>\))|(?P<or>\|)"
    r"|@(?P<list>[a-z_]+)|(?P<letters>(?:[^\W_]|⟦)+?(?=[^\W_⟦]?[?*+{]|[^\w⟦]|_|\Z))|(?P<other>.)",
    re.DOTALL,
)
_REPEAT = re.compile(r"(?:(?P<perhaps>\?)|(?P<any>\*|\{0?,\d*\}|\{0\})|\{\d+(?:,\d*)?\}|\+)[?+]?")
_PLAIN_SET = re.compile(r"\[([^\W_]{1,8})\]")
_MARK_SET = re.compile(r"\[[^\w\\\]^⟦⟧-]+-?\]")
_BETWEEN = re.compile(r"[^\w⟦]+")


def plainly(text: str) -> str:
    """A text as its words in lower case with one space between; what opens a token for people is a word by itself.

    So a space, a comma and the edge of a word are all one space, in a pattern as in a text.
    """
    return _BETWEEN.sub(" ", text.replace("⟦", " ⟦ ")).lower()


@cache
def needs(pattern: str) -> Choice:
    """What a pattern needs, as branches within branches: it can match only where everything in some branch is met.

    A branch without needs may match anything.
    """
    branches, _, end = _branches(pattern, 0)
    if end != len(pattern):
        raise RuleError(f"unbalanced pattern {pattern!r}")
    return branches


Numbered = tuple[tuple[int, tuple["Numbered", ...]], ...]  # a choice with the sets of each branch as bits


class Needs:
    """The needs of many patterns in one automaton, so that one look at a text answers for all of them.

    ``masked`` is False for texts as printed whose mask (people.py) the patterns will be matched on: tokens for people are then
    taken to be there.
    """

    __slots__ = ("_any", "_automaton", "_bits", "_patterns")

    def __init__(self, patterns: Iterable[str], masked: bool = True) -> None:
        bits: dict[Either, int] = {}
        self._patterns = [_numbered(needs(pattern), bits, masked) for pattern in patterns]
        self._any: Numbered = tuple(branch for pattern in self._patterns for branch in pattern)
        words: dict[str, int] = {}
        for either, bit in bits.items():
            for word in either:
                words[word] = words.get(word, 0) | bit
        self._bits = list(words.values())
        self._automaton: Any = ahocorasick_rs.AhoCorasick(list(words))

    def met(self, text: str) -> int:
        """The sets that a text meets, as bits."""
        found = self._automaton.find_matches_as_indexes(plainly(f" {text} "), overlapping=True)
        met = 0
        for which in {which for which, _, _ in found}:
            met |= self._bits[which]
        return met

    def may_match(self, which: int, met: int) -> bool:
        """Whether the pattern at this place in the list can match a text that meets these sets."""
        return _holds(self._patterns[which], met)

    def any_may_match(self, met: int) -> bool:
        return _holds(self._any, met)


def _numbered(choice: Choice, bits: dict[Either, int], masked: bool) -> Numbered:
    """A choice with a bit for each set that tells something; sets new to ``bits`` are added to it."""
    branches: list[tuple[int, tuple[Numbered, ...]]] = []
    for branch in choice:
        wanted, inner = 0, []
        for need in branch:
            if isinstance(need, list):
                inner.append(_numbered(need, bits, masked))
            elif masked if any("⟦" in word for word in need) else min(map(len, need)) >= _SHORTEST:
                wanted |= bits.setdefault(need, 1 << len(bits))
        branches.append((wanted, tuple(inner)))
    return ((0, ()),) if (0, ()) in branches else tuple(branches)


def _holds(choice: Numbered, met: int) -> bool:
    # Loops, as this runs for every rule and sentence and a generator for each would take longer than the rest.
    for wanted, inner in choice:
        if met & wanted == wanted:
            for one in inner:
                if not _holds(one, met):
                    break
            else:
                return True
    return False


@cache
def _list(name: str) -> tuple[Branch, Exact]:
    choice: Choice = []
    exact: Exact = set()
    for entry in load("words.toml").get(name, ()):
        branches, whole, _ = _branches(entry, 0)
        choice += branches
        exact = _either(exact, whole)
    return _joined(choice), exact


def _either(one: Exact, other: Exact) -> Exact:
    return None if one is None or other is None or len(one | other) > _MOST else one | other


def _joined(choice: Choice) -> Branch:
    """A choice as part of a branch: nothing where one of its branches needs nothing; branches of one set are one set."""
    if not all(choice):
        return []
    if len(choice) == 1:
        return choice[0]
    sets = [branch[0] for branch in choice if len(branch) == 1 and isinstance(branch[0], frozenset)]
    more = [branch for branch in choice if len(branch) > 1 or isinstance(branch[0], list)]
    either: Branch = [frozenset().union(*sets)] if sets else []
    if not more:
        return either
    return [[either, *more] if sets else more]


def _branches(pattern: str, i: int) -> tuple[Choice, Exact, int]:
    """What each alternative from ``i`` to the bracket that closes it needs, all that they can stand for, and where that bracket is."""
    branches: Choice = [[]]
    exact: Exact = set()
    run = {""}  # what the pieces so far, side by side, spell
    whole = True  # whether the run is all of the alternative so far
    while i < len(pattern):
        piece = _PIECE.match(pattern, i)
        assert piece
        i = piece.end()
        kind = piece.lastgroup
        if kind == "close" or kind == "or":
            exact = _either(exact, run if whole else None)
            _keep(run, branches[-1])
            if kind == "close":
                return branches, exact, i - 1
            branches.append([])
            run, whole = {""}, True
            continue
        if kind == "look":
            _, _, i = _branches(pattern, i)
            i += 1
            continue
        letters: Exact = None
        inside: Branch = []
        if kind == "letters":
            letters = {piece[0]}
        elif kind == "edge" or (kind == "escape" and not piece[0][1].isalnum()) or piece[0] in ("\\s", "\\W"):
            letters = {" "}
        elif kind == "set":
            plain = _PLAIN_SET.fullmatch(piece[0])
            letters = set(plain[1]) if plain else {" "} if _MARK_SET.fullmatch(piece[0]) else None
        elif kind == "list":
            inside, letters = _list(piece["list"])
        elif kind == "open":
            inner, letters, i = _branches(pattern, i)
            i += 1
            inside = _joined(inner)
        elif kind == "other" and piece[0] not in "._⟧":
            letters = {" "}
        repeat = _REPEAT.match(pattern, i)
        once = letters == {" "} or not repeat or bool(repeat["perhaps"])  # many spaces are as one
        if repeat:
            i = repeat.end()
            if repeat["perhaps"] or repeat["any"]:
                letters = letters | {""} if letters and once else None
                inside = []
        if letters is None:
            _keep(run, branches[-1])
            run, whole = {""}, False
            branches[-1] += inside
            continue
        if any("⟦" in word for word in letters):
            _keep(run, branches[-1])  # what stands before a token is needed where tokens are not seen, too
        if len(run) * len(letters) <= _MOST:
            run = {a + b for a, b in product(run, letters)}
        else:
            _keep(run, branches[-1])
            run, whole = letters, False
        if not once:
            _keep(run, branches[-1])
            run, whole = {""}, False
    exact = _either(exact, run if whole else None)
    _keep(run, branches[-1])
    return branches, exact, i


def _keep(run: set[str], found: Branch) -> None:
    """Adds to a branch that one of these strings must occur, unless one of them occurs in every text."""
    if "" in run or " " in run:
        return
    words = {plainly(word) for word in run}
    if all(word.strip() for word in words):
        found.append(frozenset(w for w in words if not any(o != w and o in w for o in words)))
