"""The prefilled request link of WhatDoTheyKnow (codebook 5.3), and quoted words without addresses and postcodes.

Opening the link sends nothing: the site shows the letter to be edited, and sends it when the person has signed in.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from claimscan.errors import UsageError

if TYPE_CHECKING:
    from claimscan.showing.letters import Letter

SITE = "https://www.whatdotheyknow.com/new/"
TAGS = ("coproduction",)
LONGEST_TITLE = 200  # characters; the site refuses a longer summary
# Characters. Common servers read a request line of 8 kB and refuse a longer one (nginx and Apache as they come).
LONGEST_LINK = 7_000

COPY = "Copy the letter instead, and send it yourself."
_BODY = re.compile("[a-z0-9][a-z0-9_-]{0,199}")
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0xFE6B: ord("@")}
_OPEN, _CLOSE = r"[(\[{<]\s*", r"\s*[)\]}>]"
_TOKEN = r"[^\s@“”\"‘’<>()\[\]{},;]"
_ADDRESS = re.compile(
    rf"""[a-z][a-z0-9+.-]*://\S+ | \bwww\.\S+
    | \b(?:[\w-]+\.)+(?:com|org|net|uk|scot|wales|cymru|eu|info|io)\b\S*(?<!@)(?!\s?@)
    | [\w.+'%-]+\s?@\s?[\w-]+(?:\.[\w-]+)+
    | {_TOKEN}*@{_TOKEN}*
    | [\w.+'%-]+\s?{_OPEN}at{_CLOSE}\s?[\w-]+(?:\s?(?:\.|{_OPEN}dot{_CLOSE}|\bdot\b)\s?[\w-]+)*
    | [\w.+'%-]+\sat\s[\w-]+(?:\sdot\s[\w-]+)+""",
    re.IGNORECASE | re.VERBOSE,
)
_POSTCODE = re.compile(
    r"(?<![A-Za-z0-9])(?:GIR\W{0,20}0AA|[A-Z]{1,2}[0-9][A-Z0-9]?\W{0,20}[0-9][A-Z]{2})(?![A-Za-z0-9])", re.IGNORECASE
)


def without_addresses(text: str, address: str = "(address left out)", postcode: str = "(postcode left out)") -> str:
    """The text with words in the place of each email address, web address and UK postcode, however they are spelt.

    Rather too much than too little: the site refuses text that holds one, and a letter needs none. No “@” is left.
    """

    def left_out(found: re.Match[str]) -> str:
        whole = found[0]
        return address + whole[len(whole.rstrip(".,;:!?)”’")) :]

    return _POSTCODE.sub(postcode, _ADDRESS.sub(left_out, text.translate(_WIDE)))


def link(letter: Letter, body: str) -> str:
    """The address that opens the site's form with this request in it.

    The site adds a greeting and an end, so the letter's own are left out, and with them the person's name and address.

    Args:
        body: the body's name in the addresses of the site (the part after ``/body/``). It is never guessed.

    Raises:
        UsageError: the letter is no FOI request or is empty, the name is missing or is none, the title is not one that
            the site takes, or the link would be too long for common servers.
    """
    if letter.kind != "foi":
        raise UsageError("The link is for FOI requests only.", "Choose --kind foi, or copy the letter.")
    if not _BODY.fullmatch(body):
        raise UsageError(
            "The link needs the body’s name as the website writes it." if not body else "That is no name of a body.",
            "Find the body on whatdotheyknow.com and copy the part of the page’s address after “/body/”: small "
            "letters, digits and “_”. Without it, copy the letter.",
        )
    from claimscan.showing.letters import words

    said = words(letter.language)
    title = without_addresses(letter.title, said["address"], said["postcode"])
    _check_title(title)
    text = without_addresses(letter.middle(), said["address"], said["postcode"])
    if not text:
        raise UsageError("The letter asks for nothing yet.", "Write what you ask for between the start and the end.")
    values = {"title": title, "default_letter": text, "tags": " ".join(TAGS)}
    whole = f"{SITE}{body}?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in values.items())
    if len(whole) > LONGEST_LINK:
        raise UsageError(
            f"The letter is too long for a link ({len(whole):,} characters; {LONGEST_LINK:,} is the most).", COPY
        )
    return whole


def fits(title: str) -> bool:
    """Whether the site takes this title: it has letters, not mostly capitals, and is not too long."""
    small, large = (sum(map(test, title)) for test in (str.islower, str.isupper))
    return len(title) <= LONGEST_TITLE and small >= max(large, 1)


def _check_title(title: str) -> None:
    if len(title) > LONGEST_TITLE:
        raise UsageError(f"The title is too long for the website: {LONGEST_TITLE} characters is the most.", COPY)
    if not fits(title):
        raise UsageError(
            "The website wants a title in words, not in capitals.", "Change the title, or copy the letter."
        )
    if re.fullmatch(r"(foi|freedom of information)\s*requests?", title.strip(), re.IGNORECASE):
        raise UsageError("The title does not say what the request is about.", "Change the title.")
