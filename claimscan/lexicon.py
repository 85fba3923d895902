"""The one place that loads rule files: word lists, triggers, and pattern rules, checked and compiled.

A pattern is a Python regular expression with four conveniences, so that rules stay readable:

- ``@name`` stands for any word or pattern of the list ``name`` in ``words.toml`` (lists may use other lists);
- a single space matches any run of white space;
- a hyphen between letters matches any hyphen or dash (U+002D, U+2010, U+2011, U+2013, soft hyphen);
- an apostrophe, straight or curly, matches both.

Rules are compiled only when one of their ``gate`` words occurs, because compiling all of them costs more than reading a
long PDF. Matching ignores case.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from claimscan.errors import RuleError

HYPHENS = "-\u2010\u2011\u2012\u2013\u00ad"
_FOLDER = "data/lexicons"
_NAME = re.compile(r"@([a-z_]+)")


def _text(name: str) -> str:
    return files("claimscan").joinpath(_FOLDER, name).read_text(encoding="utf-8")


@cache
def load(name: str) -> Mapping[str, Any]:
    """The tables of one rule file, as read. Raises RuleError when it is not valid TOML."""
    try:
        return tomllib.loads(_text(name))
    except tomllib.TOMLDecodeError as error:
        raise RuleError(f"{name}: {error}") from error


def fingerprint() -> str:
    """SHA-256 over every rule and table file, in name order; it goes into the provenance of each report."""
    digest = hashlib.sha256()
    for folder in (_FOLDER, "data/codebook"):
        for entry in sorted(files("claimscan").joinpath(folder).iterdir(), key=lambda e: e.name):
            if entry.name.endswith(".toml"):
                digest.update(entry.name.encode() + b"\0" + entry.read_bytes() + b"\0")
    return digest.hexdigest()


@cache
def words(name: str) -> str:
    """The list ``name`` of words.toml as one non-capturing group, lists inside it expanded."""
    lists = load("words.toml")
    if name not in lists:
        raise RuleError(f"words.toml has no list called {name}")
    # Longest first, so that "people with lived experience" is not cut to "people".
    return "(?:" + "|".join(expand(w) for w in sorted(lists[name], key=len, reverse=True)) + ")"


def expand(pattern: str) -> str:
    """A rule's pattern as a plain regular expression (see the module's text for what is expanded)."""
    out: list[str] = []
    depth = i = 0
    behind = False
    while i < len(pattern):
        c = pattern[i]
        if c == "\\":
            out.append(pattern[i : i + 2])
            i += 2
            continue
        if c == "[" and not depth:
            depth = 1
        elif c == "]" and depth:
            depth = 0
        if pattern.startswith(("(?<=", "(?<!"), i):
            behind = True  # a look-behind must have a fixed width, so a space in it is one character
        elif c == ")":
            behind = False
        name = _NAME.match(pattern, i) if c == "@" and not depth else None
        if name:
            out.append(words(name[1]))
            i = name.end()
            continue
        if depth:
            out.append(r"\s" if c == " " else c)
        elif c == " ":
            optional = pattern[i + 1 : i + 2] in (
                "?",
                "*",
            )  # "£ ?" is an optional space; "\\s+?" would only be a lazy one
            out.append(r"\s" if behind else r"\s*" if optional else r"\s+")
            i += optional
        elif c in "'\u2019":
            out.append("['\u2019\u2018]")
        elif c == "-" and 0 < i < len(pattern) - 1 and pattern[i - 1].isalpha() and pattern[i + 1].isalpha():
            out.append(f"[{HYPHENS}]")
        else:
            out.append(c)
        i += 1
    return "".join(out)


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern expanded and compiled, case ignored. Raises RuleError on a bad pattern."""
    try:
        return re.compile(expand(pattern), re.IGNORECASE)
    except re.error as error:
        raise RuleError(f"pattern {pattern!r}: {error}") from error


def prefixes(pattern: str, length: int) -> set[str]:
    """What a match of an expanded pattern can begin with: lower-case strings of at most ``length`` letters, shorter where the
    pattern then takes something other than a plain letter."""
    return {head for branch in _branches(pattern) for head in _sequence(branch, length)}


def _sequence(branch: str, length: int) -> set[str]:
    if not branch or not length:
        return {""}
    if branch.startswith(("(?!", "(?=", "(?<")):  # a look-around takes no letter
        return _sequence(branch[_closing(branch, 0) + 1 :], length)
    if branch[0] == "(":
        end = _closing(branch, 0) + 1
        heads = prefixes(re.sub(r"^\((?:\?(?:-i|i)?:)?", "", branch[: end - 1]), length)
    elif branch[0].isalnum():
        end, heads = 1, {branch[0].lower()}
    elif re.match(r"\[\w+\]", branch):  # a choice of plain letters
        end = branch.index("]") + 1
        heads = {c.lower() for c in branch[1 : end - 1]}
    else:
        return {""}
    tail = branch[end:]
    optional = tail[:1] in ("?", "*") or tail.startswith("{0")
    rest = re.sub(r"^(?:[?*+]|\{[\d,]*\})\??", "", tail)
    repeats = rest != tail and tail[0] in "*+{"
    found = set()
    for head in heads:
        whole = len(head) < length and not repeats and not (branch[0] == "(" and not head)
        found |= {head + more for more in _sequence(rest, length - len(head))} if whole else {head}
    return found | _sequence(rest, length) if optional else found


def _levels(pattern: str, start: int = 0) -> Iterator[tuple[int, str, int]]:
    """Each character outside escapes and classes with its place and how many brackets are open after it."""
    depth, i, in_class = 0, start, False
    while i < len(pattern):
        c = pattern[i]
        if c == "\\":
            i += 2
            continue
        if in_class:
            in_class = c != "]"
        elif c == "[":
            in_class = True
        else:
            depth += (c == "(") - (c == ")")
            yield i, c, depth
        i += 1
    if depth:
        raise RuleError(f"unbalanced pattern {pattern!r}")


def _closing(pattern: str, start: int) -> int:
    """Where the bracket that opens at ``start`` closes."""
    return next(i for i, c, depth in _levels(pattern, start) if c == ")" and not depth)


def _branches(pattern: str) -> list[str]:
    """The alternatives at the top level of a pattern."""
    cuts = [i for i, c, depth in _levels(pattern) if c == "|" and not depth]
    return [pattern[a + 1 : b] for a, b in zip([-1, *cuts], [*cuts, len(pattern)], strict=True)]


@cache
def heads(name: str) -> tuple[str, ...]:
    """Gate words for the list ``name``: what each of its words begins with, up to eight letters and at least three."""
    found = {head.strip() for word in load("words.toml")[name] for head in prefixes(expand(word), 8)}
    return tuple(sorted(head for head in found if len(head) >= 3))


@dataclass(frozen=True, slots=True)
class Rule:
    """One pattern rule of an evidence file. See CONTRIBUTING.md for how to write one.

    Attributes:
        value: the slot's value; ``@who`` when it is the kind of people named in the group ``who``; ``@with`` when those people
            wrote with the organisation ("written with tenants").
        pattern: where the evidence is. Group ``who`` (optional; ``who2`` ... in other branches) is the people; group ``quote`` (optional) narrows the quote;
            groups ``n`` and ``total`` (counts) are numbers.
        gate: lower-case substrings; the pattern is tried only where one of them occurs. ``@name`` stands for the words of a list.
        unless: a pattern that, found in the same sentence, rules this rule out.
        among: letters of people (people.toml); the group ``who`` must name at least one of them.
        also: further slots and values that the same words state ("wrote" gives authorship, method and decision_power).
        also_among: as ``among``, for ``also`` only.
        bodies: True where the pattern reads names of bodies as printed, because they say what the method was ("steering group").
        printed: True where the pattern reads the whole sentence as printed, not the mask.
        future: True where the rule may fire in a clause about the future (codebook E5 keeps all others out of it).
        yes, no: our own sentences. A ``yes`` is a sentence or ``[sentence, value]``.
    """

    id: str
    slot: str
    value: str
    pattern: str
    gate: tuple[str, ...]
    unless: str = ""
    who: str = ""
    among: str = ""
    also: Mapping[str, str] = field(default_factory=dict)
    also_among: str = ""
    bodies: bool = False
    printed: bool = False
    score: float = 0.85
    certainty: str = "explicit"
    future: bool = False
    detail: Mapping[str, Any] = field(default_factory=dict)
    yes: tuple[Any, ...] = ()
    no: tuple[str, ...] = ()
    note: str = ""


_LISTS = ("gate", "yes", "no")


def rules(name: str) -> tuple[Rule, ...]:
    """The rules of one evidence file, checked. Raises RuleError for an unknown key, a duplicate id or a missing example."""
    return tuple(_rules(name))


def _rules(name: str) -> Iterator[Rule]:
    seen: set[str] = set()
    for table in load(name).get("rule", []):
        try:
            gate = tuple(
                w for word in table.get("gate", ()) for w in (heads(word[1:]) if word.startswith("@") else (word,))
            )
            rule = Rule(**{k: tuple(v) if k in _LISTS else v for k, v in table.items()} | {"gate": gate})
        except TypeError as error:
            raise RuleError(f"{name}: rule {table.get('id', '?')}: {error}") from error
        if rule.id in seen:
            raise RuleError(f"{name}: the id {rule.id} is used twice")
        if not rule.gate or not rule.yes or not rule.no:
            raise RuleError(f"{name}: rule {rule.id} needs gate words and examples of yes and no")
        seen.add(rule.id)
        yield rule
