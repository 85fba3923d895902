"""What a pattern needs is a necessary condition: wherever a rule matches, its needs are met."""

import pytest

from claimscan import evidence, people, products
from claimscan.errors import RuleError
from claimscan.lexicon import compiled, load
from claimscan.needs import Needs, needs, plainly
from claimscan.records import Population

POPULATION = Population("people who use the service", "adults")


def texts():
    for rule in evidence.all_rules():
        for example in (*rule.yes, *rule.no):
            yield example if isinstance(example, str) else example[0]


def test_no_match_without_its_needs():
    rules = evidence.all_rules()
    table = Needs(rule.pattern for rule in rules)
    matched = 0
    for text in texts():
        for seen in (text, people.mask(text, POPULATION)):
            met = table.met(seen)
            for which, rule in enumerate(rules):
                if any(word in text.lower() for word in rule.gate) and compiled(rule.pattern).search(seen):
                    assert table.may_match(which, met), (rule.id, text)
                    matched += 1
    assert matched > len(rules)


def test_needs_rule_something_out():
    rules = evidence.all_rules()
    table = Needs(rule.pattern for rule in rules)
    met = table.met("The bins are emptied on Tuesday.")
    assert sum(table.may_match(which, met) for which in range(len(rules))) < 0.1 * len(rules)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("strateg(?:y|ies)", [[{"strategy", "strategies"}]]),
        ("plans?", [[{"plan"}]]),
        ("ab?c", [[{"abc", "ac"}]]),
        ("ab*c", [[{"a"}, {"c"}]]),
        ("(?:told|asked) us", [[{"told us", "asked us"}]]),
        ("(?:told|\\w+) us", [[{" us"}]]),
        ("(?<!\\w)met(?! once)", [[{" met"}]]),
        ("\\bmet,? (?:up|again)\\b", [[{" met up ", " met again "}]]),
        ("(?P<who>⟦[LF]~*⟧) wrote|penned", [[{" ⟦ l", " ⟦ f"}, {" wrote"}], [{"penned"}]]),
        ("advis[eo]r", [[{"adviser", "advisor"}]]),
        ("x{0,3}yes{2}", [[{"yes"}]]),
        ("read \\d+ in [12]\\d", [[{"read "}, {" in 1", " in 2"}]]),
        ("(?:ran \\w+ for|sat) us", [[[[{"sat"}], [{"ran "}, {" for"}]], {" us"}]]),
        ("(?P<a>x)?(?(a)yes|no way)", [[{"yes", "no way"}]]),
    ],
)
def test_what_is_needed(pattern, expected):
    assert needs(pattern) == expected


@pytest.mark.parametrize(
    ("text", "plain"),
    [("They met -- up", "they met up"), ("(by ⟦L~~⟧)", " by ⟦ l "), ("co\u00adproduced", "co produced")],
)
def test_words_alone_count(text, plain):
    assert plainly(text) == plain


@pytest.mark.parametrize(
    ("text", "may"), [("ran it for us", True), ("sat. Us", True), ("ran us", False), ("for us", False)]
)
def test_each_choice_is_met_as_a_whole(text, may):
    table = Needs(["(?:ran \\w+ for|sat)[.]? us"])
    assert table.may_match(0, table.met(text)) is may


def test_unbalanced_pattern():
    with pytest.raises(RuleError):
        needs("a)b")


def test_a_page_with_a_match_is_possible():
    matched = 0
    for rule in load("products.toml")["made"]:
        for text in (*rule["yes"], *rule["no"]):
            if compiled(rule["pattern"]).search(people.mask(text, POPULATION)):
                assert products.possible(f"Bins. {text} More text; and more."), text
                matched += 1
    assert matched >= len(load("products.toml")["made"])
    assert not products.possible("The bins are emptied on Tuesday. The depot opens at six.")
