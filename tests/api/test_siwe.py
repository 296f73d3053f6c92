from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.api import siwe
from mercato.chains.addresses import address, checksum
from mercato.chains.signing import personal, signed_by
from mercato.core.errors import InvalidInput

FOLDER = Path(__file__).parent / "siwe"
NAMES = {
    "chainId": "chain_id", "issuedAt": "issued_at", "expirationTime": "expires_at", "notBefore": "not_before",
    "requestId": "request_id",
}  # fmt: skip
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def vectors(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return found


def message(fields: dict[str, Any]) -> siwe.SignInMessage:
    """The message of a vector: our names, no signature and no circumstances."""
    ours = {NAMES.get(key, key): value for key, value in fields.items()}
    dropped = ("version", "signature", "time", "domainBinding", "matchNonce")
    kept = {key: value for key, value in ours.items() if key not in dropped and value is not None}
    return siwe.SignInMessage(**{**kept, **({"resources": tuple(kept["resources"])} if "resources" in kept else {})})


def signed_in(fields: dict[str, Any]) -> bool:
    """Whether a vector signs in: read strictly, checked at its time, recovered."""
    text = str(message(fields))
    read = siwe.parse(text, checksummed)
    now = siwe.moment(fields["time"]) if "time" in fields else NOW
    domain, nonce = fields.get("domainBinding", read.domain), fields.get("matchNonce", read.nonce)
    siwe.check(read, domain=domain, nonce=nonce, now=now)
    return signed_by(personal(text.encode()), bytes.fromhex(fields["signature"][2:])) == read.address.lower()


def checksummed(text: str) -> str:
    return checksum(address(text))


@pytest.mark.parametrize("case", vectors("parsing_positive").values(), ids=vectors("parsing_positive"))
def test_a_good_message_is_read_and_written_back(case: dict[str, Any]) -> None:
    read = siwe.parse(case["message"], checksummed)

    assert read == message(case["fields"])
    assert str(read) == case["message"]


@pytest.mark.parametrize("text", vectors("parsing_negative").values(), ids=vectors("parsing_negative"))
def test_a_bad_message_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        siwe.parse(text, checksummed)


@pytest.mark.parametrize("case", vectors("verification_positive").values(), ids=vectors("verification_positive"))
def test_a_good_signature_is_accepted(case: dict[str, Any]) -> None:
    assert signed_in(case)


OTHERS = "wrong signature"
REFUSED = {name: case for name, case in vectors("verification_negative").items() if name != OTHERS}


def test_the_signature_of_another_is_refused() -> None:
    assert not signed_in(vectors("verification_negative")[OTHERS])


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_a_message_that_is_not_valid_here_and_now_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - InvalidInput is one, and so is a signature that is no hexadecimal
        signed_in(case)


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    with pytest.raises(InvalidInput):
        siwe.parse(text, checksummed)


@given(st.sampled_from(["\r", "\x00", "é", "\n", " "]), st.integers(0, 270))
def test_a_character_put_into_a_message_is_never_read_over(character: str, at: int) -> None:
    text = vectors("parsing_positive")["couple of optional fields"]["message"]
    changed = text[:at] + character + text[at:]
    read = _parsed(changed)

    assert read is None or str(read) == changed


def _parsed(text: str) -> siwe.SignInMessage | None:
    try:
        return siwe.parse(text, checksummed)
    except InvalidInput:
        return None


def test_a_message_beyond_its_limit_is_not_even_read() -> None:
    with pytest.raises(InvalidInput, match="4001 characters"):
        siwe.parse("x" * 4001, checksummed)
