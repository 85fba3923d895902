"""What a pattern needs is a necessary condition: wherever a rule matches, its needs are met."""

import pytest

from claimscan import evidence, people, products
from claimscan.errors import RuleError
from claimscan.lexicon import compiled, load
from claimscan.needs import Needs, needs
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
        ("strateg(?:y|ies)", [[{"strateg"}, {"y", "ies"}]]),
        ("plans?", [[{"plan"}]]),
        ("ab?c", [[{"a"}, {"c"}]]),
        ("(?:told|asked) us", [[{"told", "asked"}, {"us"}]]),
        ("(?:told|\\w+) us", [[{"us"}]]),
        ("(?<!\\w)met(?! once)", [[{"met"}]]),
        ("(?P<who>⟦[LF]~*⟧) wrote|penned", [[{"⟦l", "⟦f"}, {"wrote"}], [{"penned"}]]),
        ("advis[eo]r", [[{"adviser", "advisor"}]]),
        ("x{0,3}yes{2}", [[{"yes"}]]),
    ],
)
def test_what_is_needed(pattern, expected):
    assert [[set(either) for either in branch] for branch in needs(pattern)] == expected


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
