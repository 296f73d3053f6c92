"""A bid as a person writes it: dollars and a price, made into base units and a level."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mercato.core.errors import InvalidInput
from mercato.launch.model import Launch, Level
from mercato.launch.views.form import Form
from mercato.launch.words import dollars, price, q96_of, quote_units

FAUCET = 1_000_000_000  # base units of the test dollar that a visitor takes at once
_ACCOUNT = re.compile(r"0x[0-9a-f]{40}")


def amount(form: Form, launch: Launch, *, name: str = "amount", least: bool = True) -> int:
    """Returns the amount of a form in base units, 0 with a fault noted where there is none."""
    found = form.read(name, quote_units) or 0
    minimum = launch.application.terms.bid_min
    if name not in form.errors and least and found < minimum:
        form.fault(name, f"{dollars(found)} is less than the smallest bid, {dollars(minimum)}")
    if name not in form.errors and not found:
        form.fault(name, "it was nothing")
    return found


def level(form: Form, levels: Sequence[Level], *, name: str = "price") -> int:
    """Returns the highest level that a limit price still pays for, 0 with a fault noted where there is none."""
    limit = form.read(name, q96_of)
    if limit is None:
        return 0
    # A price that the page itself showed was cut to four digits; half of the last one is not held against its reader.
    slack = limit + limit // 20_000
    paid = [item.number for item in levels if item.price <= slack]
    if not paid:
        form.fault(name, f"it is below the lowest price, {price(levels[0].price)}")
        return 0
    return paid[-1]


def account(form: Form, name: str = "account") -> str:
    """Returns the account of a form in lower case, "" with a fault noted where it is none."""
    found = form.text(name).lower()
    if not _ACCOUNT.fullmatch(found):
        form.fault(name, "it was no account: 0x and 40 hexadecimal digits")
        return ""
    return found


def whole(text: str, place: str) -> int:
    """Returns a whole number of a hidden field; InvalidInput else."""
    if not (text.isascii() and text.isdigit() and len(text) <= 78):
        raise InvalidInput(f"{place} was {text[:80]!r}", hint="expected digits")
    return int(text)


def octets(text: str) -> bytes:
    """Returns the bytes of 0x and hexadecimal digits; InvalidInput else."""
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise InvalidInput(f"bytes were {text[:80]!r}", hint="expected 0x and hexadecimal digits") from None
