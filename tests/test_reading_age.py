"""What a person reads is plain: reading age about 11, and none above 14, by the Flesch-Kincaid grade plus five.

Left out are the codebook's own requests for records (the words of the law), text of documents, and pieces of under six
words, for which no formula of this kind is meant.
"""

import re
import statistics
import tomllib
from importlib.resources import files

import pytest
import textstat

from claimscan import codebook
from claimscan.showing import translating

DATA = files("claimscan") / "data"
PAGES = ["finding.html.j2", "report.html.j2"]


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key != "record":
                yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


def read(name):
    text = (DATA / name).read_text(encoding="utf-8")
    if name.endswith(".toml"):
        return list(strings(tomllib.loads(text)))
    text = re.sub(r'\btr\("([^"]*)"\)', r" }}\1{{ ", text)  # a message is words, what stands around it is not
    return re.split(r"<[^>]+>|\n", re.sub(r"\{[%{#].*?[%}#]\}", " ", text, flags=re.S))


def ages(name):
    for text in read(name):
        for sentence in re.split(r"(?<=[.?!:;])\s+", text.strip()):
            if len(sentence.split()) >= 6:
                yield textstat.flesch_kincaid_grade(sentence) + 5, sentence


SHOWN = [
    "codebook/levels.toml",
    "codebook/flags.toml",
    "codebook/questions.toml",
    "templates/wording.toml",
    "templates/easy_read.en.toml",
    *(f"templates/{page}" for page in PAGES),
    *(f"web/{file.name}" for file in sorted((DATA / "web").iterdir(), key=str) if file.name.endswith(".j2")),
]


@pytest.mark.parametrize("name", SHOWN)
def test_a_reader_of_eleven_can_follow(name):
    found = sorted(ages(name), reverse=True)
    if not found:
        return  # a page with no sentence of its own
    assert found[0][0] <= 14, found[:5]
    assert statistics.median(age for age, _ in found) <= 11


def test_easy_read_is_easier():
    assert statistics.median(age for age, _ in ages("templates/easy_read.en.toml")) <= 8


# Words of the law and of another ladder's author, which are not ours to change.
NOT_OURS = ("special educational needs and disabilities", "1 Manipulation to 3 Informing")


def test_every_sentence_that_can_be_said_in_welsh_is_plain_in_english_too():
    """The catalogue holds all of them: those of tables and templates, and those that stand in code."""
    requests = {gap.record for gap in codebook.tables().gaps}
    found = []
    for _, text in translating.catalogue("cy"):
        if text not in requests:
            for sentence in re.split(r"(?<=[.?!:;])\s+", re.sub(r"\{[^}]*\}", "it", text.strip())):
                if len(sentence.split()) >= 6 and not any(words in sentence for words in NOT_OURS):
                    found.append((textstat.flesch_kincaid_grade(sentence) + 5, sentence))
    assert len(found) > 400 and max(found)[0] <= 14, sorted(found, reverse=True)[:5]
    assert statistics.median(age for age, _ in found) <= 11
