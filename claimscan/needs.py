"""What must stand in a text for a pattern to match it at all: a cheap look that saves most searches and most compiling.

A pattern of a rule file is read as written, lists and all, without compiling it. What comes out is a necessary condition
and never a sufficient one, so leaving a pattern untried where it fails cannot change a result.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import product
from typing import Any

import ahocorasick_rs

from claimscan.errors import RuleError
from claimscan.lexicon import load

Either = frozenset[str]  # one of these strings must occur, in lower case

_SHORTEST = 3  # letters; shorter strings are in every sentence
_MOST = 24  # strings that one run of letters may stand for, where it has classes such as [LF]
# The pieces of a pattern: escapes, classes, brackets that open (a look-around takes no letter), lists, letters, the rest.
_PIECE = re.compile(
    r"(?P<escape>\\.)|(?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])|(?P<look>\(\?<?[=!])|(?P<open>\((?:\?(?:P<\w+>|-?i:|:))?)|(?P<close>\))|(?P<or>\|)"
    r"|@(?P<list>[a-z_]+)|(?P<letters>(?:[^\W_]|⟦)+?(?=[^\W_⟦]?[?*+{]|[^\w⟦]|_|\Z))|(?P<other>.)",
    re.DOTALL,
)
_REPEAT = re.compile(r"(?:(?P<maybe>[?*]|\{0?,\d*\}|\{0\})|\{\d+(?:,\d*)?\}|\+)[?+]?")
_PLAIN_SET = re.compile(r"\[([^\W_]{1,8})\]")


@cache
def needs(pattern: str) -> tuple[tuple[Either, ...], ...]:
    """For each branch at the top of a pattern, the sets of strings of which each must have one in the lower-case text.

    The pattern can match only where all sets of some branch are met, one after the other. A branch without sets may match
    anything.
    """
    branches, end = _branches(pattern, 0)
    if end != len(pattern):
        raise RuleError(f"unbalanced pattern {pattern!r}")
    return tuple(map(tuple, branches))


class Needs:
    """The needs of many patterns in one automaton, so that one look at a text answers for all of them.

    ``masked`` is False for texts as printed whose mask (people.py) the patterns will be matched on: tokens for people are then
    taken to be there.
    """

    __slots__ = ("_automaton", "_bits", "_branches")

    def __init__(self, patterns: Iterable[str], masked: bool = True) -> None:
        bits: dict[Either, int] = {}
        self._branches: list[list[int]] = []
        for pattern in patterns:
            branches = []
            for branch in needs(pattern):
                telling = {
                    either for either in branch if (masked if _is_token(either) else min(map(len, either)) >= _SHORTEST)
                }
                branches.append(sum(bits.setdefault(either, 1 << len(bits)) for either in telling))
            self._branches.append(branches)
        words = sorted({word for either in bits for word in either})
        self._bits = [sum(bit for either, bit in bits.items() if word in either) for word in words]
        self._automaton: Any = ahocorasick_rs.AhoCorasick(words)

    def found(self, lower: str) -> Iterator[tuple[int, int]]:
        """Where in a lower-case text something needed begins, and which sets it meets, as bits."""
        for which, start, _ in self._automaton.find_matches_as_indexes(lower, overlapping=True):
            yield start, self._bits[which]

    def met(self, text: str) -> int:
        """The sets that a text meets, as bits."""
        met = 0
        for which in {which for which, _, _ in self._automaton.find_matches_as_indexes(text.lower(), overlapping=True)}:
            met |= self._bits[which]
        return met

    def may_match(self, which: int, met: int) -> bool:
        """Whether the pattern at this place in the list can match a text that meets these sets."""
        return any(met & wanted == wanted for wanted in self._branches[which])

    def any_may_match(self, met: int) -> bool:
        return any(self.may_match(which, met) for which in range(len(self._branches)))


def _is_token(either: Either) -> bool:
    return any("⟦" in word for word in either)


@cache
def _list(name: str) -> list[Either]:
    return _one_of([branch for entry in load("words.toml").get(name, ()) for branch in needs(entry)])


def _one_of(branches: Sequence[Sequence[Either]]) -> list[Either]:
    """What several branches have in common: one set with the most telling set of each, or nothing where a branch has none."""
    if len(branches) == 1:
        return list(branches[0])
    if not all(branches):
        return []
    return [frozenset().union(*(max(sets, key=_telling) for sets in branches))]


def _telling(either: Either) -> tuple[int, int]:
    return min(map(len, either)), -len(either)


def _branches(pattern: str, i: int) -> tuple[list[list[Either]], int]:
    """The sets of each alternative from ``i`` to the bracket that closes it, and where that bracket is."""
    branches: list[list[Either]] = [[]]
    run = {""}  # what the letters so far, side by side, spell
    while i < len(pattern):
        piece = _PIECE.match(pattern, i)
        assert piece
        i = piece.end()
        kind = piece.lastgroup
        if kind == "close" or kind == "or":
            _keep(run, branches[-1])
            run = {""}
            if kind == "close":
                return branches, i - 1
            branches.append([])
            continue
        letters: set[str] = set()
        inside: list[Either] = []
        if kind == "letters":
            letters = {piece[0].lower()}
        elif kind == "set":
            plain = _PLAIN_SET.fullmatch(piece[0])
            letters = set(plain[1].lower()) if plain else set()
        elif kind == "list":
            inside = _list(piece["list"])
        elif kind == "open" or kind == "look":
            inner, i = _branches(pattern, i)
            i += 1
            inside = _one_of(inner) if kind == "open" else []
        repeat = _REPEAT.match(pattern, i)
        if repeat:
            i = repeat.end()
            if repeat["maybe"]:
                letters, inside = set(), []
        if letters and len(run) * len(letters) <= _MOST:
            run = {a + b for a, b in product(run, letters)}
            if not repeat:
                continue
            letters = set()
        _keep(run, branches[-1])
        run = letters or {""}
        branches[-1] += inside
    _keep(run, branches[-1])
    return branches, i


def _keep(run: set[str], found: list[Either]) -> None:
    if run != {""}:
        found.append(frozenset(run))
