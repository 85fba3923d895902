"""From evidence to the facts that the rules need: whose evidence it is, and what it shows (codebook E1 to E28)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from claimscan.codebook import Tables
from claimscan.codebook import tables as codebook_tables
from claimscan.grading.rules import Facts, judge
from claimscan.records import Evidence, Mention, Population

GRADABLE = frozenset({"DOC_DONE", "OTHER_DONE", "PRACTICE"})
SILENT = frozenset({"not_stated", "none_stated", "none"})
EARLY = ("start", "design")
RETURNING = ("standing_group", "repeated_same_group", "cycles_with_return")
MECHANISMS = (
    "co_chair",
    "vote_or_majority",
    "veto_or_required_agreement",
    "joint_sign_off",
    "delegated_budget_or_decision",
)
# These say themselves who it was; E25 lets them name anybody.
BY_VALUE = frozenset({"contributors", "authorship", "reviewers"})
# Naming an author or a payee, or what was said about the thing, names nobody as having taken part.
NAMES_NOBODY = frozenset({"transparency", "payment", "ulo", "scope", "accessibility", "breadth", "final_edit"})

Held = Sequence[tuple[Evidence, str]]
Support = Mapping[str, tuple[Evidence, ...]]


def whose(evidence: Sequence[Evidence], population: Population, parents_are_le: bool | None = None) -> Held:
    """Each piece of evidence with the side it belongs to: le, proxy, organisations, unclear or nobody (E1, E12,
    E25, E28).

    Authorship, reviewers and contributors say themselves who it was. Evidence that does not say follows the
    contributors. Parents and carers count as lived experience unless the document is about adults, or about all
    ages (then as proxies). The public counts where no narrower population is named.
    """
    if parents_are_le is None:
        parents_are_le = population.kind not in ("adults", "all_age")
    sides = {
        "le": "le",
        "mixed": "le",
        "mixed_with_le": "le",
        "le_org": "le",
        "parent_carer": "le" if parents_are_le else "proxy",
        "public": "le" if population.kind in ("residents", "unknown") else "unclear",
        "proxy": "proxy",
        "mixed_no_le": "proxy",
        "professional": "organisations",
        "organisations": "organisations",
        "unclear": "unclear",
    }

    def stated(item: Evidence) -> str:
        return sides.get(item.value if item.slot in BY_VALUE else item.who, "")

    told = [item for item in evidence if item.value not in SILENT]
    named = {stated(item) for item in told if item.slot == "contributors"} - {""}
    named = named or {stated(item) for item in told if item.slot not in NAMES_NOBODY | {"authorship"}} - {""}
    default = next((side for side in ("le", "proxy", "organisations") if side in named), "unclear")
    # Co-authorship that does not say whose follows the stated authors, not people who only looked it over.
    authors = {stated(item) for item in told if item.slot == "authorship"} - {""}
    author = default if not authors or default in authors else min(authors)

    def side(item: Evidence) -> str:
        if item.slot in BY_VALUE:
            return stated(item)
        return stated(item) or (author if item.value in ("co_author", "co_authorship") else default)

    return [(item, side(item)) for item in told]


def facts(
    mentions: Sequence[Mention], held: Held, side: str = "le", tables: Tables | None = None
) -> tuple[Facts, Support]:
    """The inputs of :func:`claimscan.grading.judge` as one side's evidence gives them, and the evidence behind each.

    A look at the finished text takes nothing from what was done before it (D1: the highest level whose evidence is
    complete). So where the only stage stated is the end, and other sentences than those that state it say that they took
    part, the facts are those of the other sentences if these show more.

    Args:
        mentions: the product's mentions.
        held: evidence with its side, from :func:`whose`.
        side: whose depth is asked: "le", or "proxy" for the proxy grade.
    """
    table = tables or codebook_tables()
    given, support = _facts(mentions, held, side, table)
    if given.took_part and given.stage == "near_final_or_after_only":
        at_end = support["stage"]
        before = [(item, owner) for item, owner in held if not any(_together(item, end) for end in at_end)]
        earlier, behind = _facts(mentions, before, side, table)
        about = ("scope", "edited_alone", "through")  # said of the whole work, wherever it is said
        earlier = replace(earlier, **{name: getattr(given, name) for name in about})
        told = any(item.who and owner == side for item, owner in before)  # not only a method that names nobody
        if told and earlier.took_part and judge(earlier, table).grade > judge(given, table).grade:
            return earlier, {**behind, **{name: support[name] for name in about}}
    return given, support


def _together(one: Evidence, other: Evidence) -> bool:
    """Whether two pieces of evidence were found in the same words."""
    return one is other or (one.start < other.end and other.start < one.end) or one.start == other.start


def _facts(mentions: Sequence[Mention], held: Held, side: str, table: Tables) -> tuple[Facts, Support]:
    mine = [item for item, owner in held if owner == side]
    everybody = [item for item, _ in held]

    def having(slot: str, *values: str, among: Sequence[Evidence] = mine) -> tuple[Evidence, ...]:
        return tuple(item for item in among if item.slot == slot and (not values or item.value in values))

    body = bool(having("mark", "body", among=everybody))
    shown: dict[str, list[Evidence]] = {"wrote": [], "asked": [], "seat": [], "late": [], "": []}
    for item in mine:
        shown[_shows(item, table, body)].append(item)
    took_part = (*shown["wrote"], *shown["asked"], *shown["seat"], *shown["late"])
    late_only = bool(took_part) and len(took_part) == len(shown["late"])

    stages = having("stage")
    if found := having("stage", *EARLY):
        stage, stage_from = "early", found
    elif found := having("stage", "mid_draft"):
        stage, stage_from = "open", found
    elif stages or late_only:
        stage, stage_from = "near_final_or_after_only", stages or took_part
    else:
        stage, stage_from = "not_stated", ()

    if shown["wrote"]:
        act, act_from = "wrote", shown["wrote"]
    elif shown["asked"]:
        act, act_from = "worked" if shown["seat"] else "asked", shown["asked"]
    elif shown["seat"] and stages:  # a seat at a stated stage had a task (3.2, level 2)
        act, act_from = "worked", [*shown["seat"], *stages]
    else:
        act, act_from = ("asked" if late_only else "presence"), [*shown["seat"], *shown["late"]]

    changed, changed_from = "none", having("feedback_acted")
    for value in ("general", "specific", "specific_incl_not_done", "loop"):
        if found := having("feedback_acted", value):
            changed, changed_from = value.removesuffix("_incl_not_done"), found

    counts = having("count")
    # People said to have taken part in other words than those that count one: she was not the only one.
    others = [item for item in took_part if item.who and not any(_together(item, count) for count in counts)]
    returning = having("continuity", *RETURNING)
    shared = having("decision_power", *MECHANISMS) + having("method", "co_chair")
    through = having("end_role") + having("final_edit", "joint")
    # The last edit by the organisation alone is said of the organisation, so whoever the evidence names.
    alone = having("final_edit", "organisation_alone_stated", among=everybody)
    with_people = having("final_edit", "joint", "returned_to_contributors", among=everybody)
    scope, scope_from = _scope(mentions, having("scope", among=everybody), table)
    claims = [m for m in mentions if m.type in GRADABLE]
    denied = having("mark", "negated_whole", among=everybody)
    pointer = having("mark", "pointer", among=everybody)
    how = tuple(i for i in everybody if i.slot in ("method", "stage") or _shows(i, table, body))
    named = tuple((i, owner) for i, owner in held if owner and _names(i, owner))
    given = Facts(
        claimed=bool(claims),
        contradicted=bool(denied) and bool(claims or took_part),
        pointer=bool(pointer),
        named=tuple(sorted({owner for _, owner in named})),
        how=bool(how),
        took_part=bool(took_part),
        who="single" if counts and all(_one(item, side) for item in counts) and not others else "group",
        act=act,
        stage=stage,
        repeated=bool(returning),
        changed=changed,
        shared=bool(shared),
        through=bool(through),
        scope=scope,
        edited_alone=bool(alone) and not with_people,
    )
    support = {
        "contradicted": denied,
        "pointer": pointer,
        "named": tuple(item for item, _ in named),
        "how": how,
        "took_part": took_part,
        "who": counts,
        "act": tuple(act_from),
        "stage": stage_from,
        "repeated": returning,
        "changed": changed_from,
        "shared": shared,
        "through": through,
        "scope": scope_from,
        "edited_alone": alone,
    }
    return given, support


def kind_of(count: Evidence) -> str:
    """The kind of a count: as its fields say, or its value; a bare number is exact."""
    return str(count.detail.get("kind") or ("exact" if count.value.isdigit() else count.value))


def _names(item: Evidence, owner: str) -> bool:
    """Whether evidence names somebody as having taken part. That officers wrote it does not say who co-produced it."""
    if owner == "organisations":  # who chairs a body, or wrote the text, is not said to have co-produced it
        return item.slot == "contributors"
    return item.slot not in NAMES_NOBODY


def _shows(item: Evidence, table: Tables, body: bool) -> str:
    """What one piece of evidence shows by itself (``shows`` in codes.toml): wrote, asked, seat, late or nothing."""
    if item.slot == "count":
        return "seat" if kind_of(item) == "one_of_many" or _inside(item.detail, body) else ""
    return table.slots[item.slot].shows.get(item.value, "")


def _inside(count: Mapping[str, Any], body: bool) -> bool:
    """The boundary of N1 and 2: people counted inside the team or body that did the work, not those it was with."""
    inside = body or (count.get("unit") in ("authors", "members") and bool(count.get("total_n")))
    return inside and bool(count.get("le_n"))


def _one(count: Evidence, side: str) -> bool:
    people = count.detail.get("le_n")
    if people is None and side == "proxy":
        people = count.detail.get("total_n")
    return people == 1 or (people is None and kind_of(count) == "one_of_many")


def _scope(mentions: Sequence[Mention], found: Sequence[Evidence], table: Tables) -> tuple[str, tuple[Evidence, ...]]:
    """The strongest scope that the evidence states (E26), else the one that every claim states (T7), else whole."""
    if found:
        best = max(found, key=lambda item: table.slots["scope"].values.index(item.value))
        return best.value, (best,)
    claims = {m.scope for m in mentions if m.type in GRADABLE}
    return (claims.pop() if len(claims) == 1 else "whole"), ()
