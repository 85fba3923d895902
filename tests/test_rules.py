"""Every evidence rule finds its own ``yes`` examples and is silent on its ``no`` examples, one test for each rule."""

import pytest

from claimscan import evidence
from claimscan.records import Population, Sentence

# Under one kind a parent speaks as lived experience, under another as a proxy: a rule's examples may assume any one.
POPULATIONS = (
    Population("people who use the service", "adults"),
    Population("children with SEND", "children"),
    Population("unpaid carers", "carers"),
)
RULES = evidence.all_rules()


def fires(rule, text, population):
    sentence = Sentence(0, len(text), text, 1, 0)
    return [e for e in evidence.find([sentence], population) if e.rule == rule.id]


def alone(rule, text, population):
    return [e for e in evidence._in_sentence(Sentence(0, len(text), text, 1, 0), population) if e.rule == rule.id]


@pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])
def test_yes_examples_are_found(rule):
    missed = min((evidence.check_examples(rule, population, rule.yes) for population in POPULATIONS), key=len)
    assert not missed


@pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])
def test_no_examples_give_nothing(rule):
    for text in rule.no:
        for population in POPULATIONS:
            assert not alone(rule, text, population), text


def test_rule_ids_are_unique():
    ids = [rule.id for rule in RULES]
    assert len(ids) == len(set(ids))


def test_quotes_are_verbatim():
    for rule in RULES:
        for example in rule.yes:
            text = example if isinstance(example, str) else example[0]
            for found in fires(rule, text, POPULATIONS[0]):
                assert text[found.start : found.end] == found.quote
