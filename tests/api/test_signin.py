from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from eth_abi.abi import encode
from eth_account.messages import defunct_hash_message
from fastapi import FastAPI, Request
from starlette.middleware import Middleware

from mercato.api import Hub, create, siwe
from mercato.api.session import COOKIE, SessionMiddleware, router
from mercato.api.signin import LIFETIME, PATIENCE, WAITING, SignIn, SignInRefused
from mercato.api.testing import serve
from mercato.chains import Address, Call
from mercato.chains.abi import succeeded
from mercato.chains.addresses import address, checksum, keccak
from mercato.chains.evm.local import LocalChain
from mercato.chains.messages import Accounts, signed
from mercato.chains.signing import Key, personal
from mercato.chains.testing import ACCOUNTS, KEYS, local
from mercato.core.clock import HandClock
from mercato.core.errors import InvalidInput
from mercato.store import Store
from mercato.store.testing import sqlite_store

ALICE, BOB = Key(KEYS[0]), Key(KEYS[1])
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
SITE = "mercato.example"


def sign(key: Key, text: str) -> bytes:
    return key.digest(personal(text.encode()))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = sqlite_store(tmp_path)
    yield made
    made.close()


@pytest.fixture
def clock() -> HandClock:
    return HandClock(START)


@pytest.fixture
def chain() -> LocalChain:
    return local()


@pytest.fixture
def signin(store: Store, clock: HandClock, chain: LocalChain) -> SignIn:
    return SignIn(store, clock, Accounts(chain))


def challenge(signin: SignIn, key: Key = ALICE) -> str:
    return signin.challenge(key.address, domain=SITE, uri=f"https://{SITE}/")


def test_whoever_signs_the_message_is_signed_in_until_the_session_ends(signin: SignIn, clock: HandClock) -> None:
    text = challenge(signin)
    session = signin.begin(text, sign(ALICE, text), domain=SITE)
    during = signin.account(session.token)
    clock.move(LIFETIME)

    assert session.account == ALICE.address
    assert during == ALICE.address
    assert signin.account(session.token) is None


def test_the_message_says_where_who_and_that_it_costs_nothing(signin: SignIn) -> None:
    message = siwe.parse(challenge(signin), lambda text: checksum(address(text)))

    assert (message.domain, message.chain_id, message.issued_at) == (SITE, 31337, "2026-03-01T12:00:00Z")
    assert message.address == checksum(ALICE.address)
    assert "costs nothing" in str(message.statement)


def test_a_message_signs_in_once(signin: SignIn) -> None:
    text = challenge(signin)
    signin.begin(text, sign(ALICE, text), domain=SITE)

    with pytest.raises(SignInRefused, match="used or never given out"):
        signin.begin(text, sign(ALICE, text), domain=SITE)


def test_the_signature_of_another_account_is_refused_and_uses_up_nothing(signin: SignIn) -> None:
    text = challenge(signin)
    with pytest.raises(SignInRefused, match="was not that of"):
        signin.begin(text, sign(BOB, text), domain=SITE)

    assert signin.begin(text, sign(ALICE, text), domain=SITE).account == ALICE.address


def test_a_message_that_waited_too_long_is_refused(signin: SignIn, clock: HandClock) -> None:
    text = challenge(signin)
    clock.move(PATIENCE)

    with pytest.raises(InvalidInput, match="ended at"):
        signin.begin(text, sign(ALICE, text), domain=SITE)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (SITE + " wants", "evil.example wants", "was for 'evil.example'"),
        ("Chain ID: 31337", "Chain ID: 1", "chain id was 1"),
        ("Version: 1", "Version: 2", "not of the form"),
    ],
)
def test_a_message_for_another_place_is_refused(signin: SignIn, old: str, new: str, reason: str) -> None:
    text = challenge(signin).replace(old, new)

    with pytest.raises(InvalidInput, match=reason):
        signin.begin(text, sign(ALICE, text), domain=SITE)


def test_a_nonce_of_ones_own_making_is_refused(signin: SignIn) -> None:
    message = siwe.parse(challenge(signin), lambda text: checksum(address(text)))
    text = str(message).replace(message.nonce, "0" * 32)

    with pytest.raises(SignInRefused):
        signin.begin(text, sign(ALICE, text), domain=SITE)


def test_a_session_ends_when_asked_and_its_token_is_kept_nowhere(signin: SignIn, tmp_path: Path) -> None:
    text = challenge(signin)
    session = signin.begin(text, sign(ALICE, text), domain=SITE)
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    signin.end(session.token)

    assert session.token.reveal().encode() not in kept
    assert signin.account(session.token) is None


def test_who_asks_for_many_messages_crowds_out_the_oldest(
    signin: SignIn, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mercato.api.signin.WAITING", 3)
    texts = []
    for _ in range(4):
        texts.append(challenge(signin))
        clock.move(timedelta(seconds=1))

    assert WAITING > 3
    assert signin.begin(texts[1], sign(ALICE, texts[1]), domain=SITE).account == ALICE.address
    with pytest.raises(SignInRefused):
        signin.begin(texts[0], sign(ALICE, texts[0]), domain=SITE)


# Runtime code that answers every call with 32 bytes that begin with a word: PUSH4, PUSH1 224, SHL, PUSH0, MSTORE,
# PUSH1 32, PUSH0, RETURN.
SAYS_YES, SAYS_NO = "631626ba7e60e01b5f5260205ff3", "63ffffffff60e01b5f5260205ff3"
FAILS = "5f5ffd" + "00" * 11
# Says yes to one question only: CALLDATACOPY of all, KECCAK256 of it, EQ with a hash, MUL with the word; then as above.
KNOWS = "365f5f37365f207f{}14631626ba7e0260e01b5f5260205ff3"


def contract(chain: LocalChain, runtime: str) -> Address:
    """Deploys at most 255 bytes of code as they are."""
    size = f"{len(runtime) // 2:02x}"
    deploys = f"60{size}600a5f3960{size}5ff3{runtime}"
    made = succeeded(chain, chain.send(Call(ACCOUNTS[5], None, bytes.fromhex(deploys))))
    assert made.created is not None
    return made.created


def test_an_account_that_is_a_contract_signs_in_by_its_own_word(signin: SignIn, chain: LocalChain) -> None:
    account = contract(chain, SAYS_YES)
    text = signin.challenge(account, domain=SITE, uri=f"https://{SITE}/")

    assert signin.begin(text, b"any words of its own", domain=SITE).account == account


@pytest.mark.parametrize("wallet", ["argent", "loopring"])
def test_a_contract_is_asked_about_exactly_what_a_real_wallet_signed(chain: LocalChain, wallet: str) -> None:
    case = json.loads((Path(__file__).parent / "siwe" / "eip1271.json").read_text(encoding="utf-8"))[wallet]
    text, signature = case["message"], bytes.fromhex(case["signature"][2:])
    asked = encode(["bytes32", "bytes"], [bytes(defunct_hash_message(text=text)), signature])
    account = contract(chain, KNOWS.format(keccak(bytes.fromhex("1626ba7e") + asked).hex()))
    read = siwe.parse(text, lambda given: checksum(address(given)))

    assert str(read) == text
    assert signed(chain, account, text, signature)
    assert not signed(chain, account, text + " ", signature)
    assert not signed(chain, account, text, signature[:-1] + b"\xff")
    assert not signed(chain, address(read.address), text, signature)


@pytest.mark.parametrize("runtime", [SAYS_NO, FAILS])
def test_a_contract_that_does_not_agree_is_refused(signin: SignIn, chain: LocalChain, runtime: str) -> None:
    account = contract(chain, runtime)
    text = signin.challenge(account, domain=SITE, uri=f"https://{SITE}/")

    with pytest.raises(SignInRefused):
        signin.begin(text, b"any words of its own", domain=SITE)


@pytest.fixture
def site(signin: SignIn) -> Iterator[str]:
    app: FastAPI = create(version="1", hub=Hub(), outer=(Middleware(SessionMiddleware, signin=signin),))
    app.include_router(router(signin))

    @app.get("/whoami")
    def whoami(request: Request) -> str:
        return str(request.state.account)

    with serve(app) as url:
        yield url


def test_a_client_signs_in_and_out_over_http(site: str) -> None:
    with httpx.Client(base_url=site) as client:
        before = client.get("/api/session").json()
        text = client.post("/api/session/challenge", json={"account": ALICE.address}).json()["message"]
        begun = client.post("/api/session", json={"message": text, "signature": "0x" + sign(ALICE, text).hex()})
        during = client.get("/whoami").json()
        ended = client.delete("/api/session")
        after = client.get("/api/session").json()

    cookie = begun.headers["set-cookie"].lower()
    assert before == after == {"account": None}
    assert (begun.status_code, during, ended.status_code) == (201, ALICE.address, 204)
    assert all(part in cookie for part in (COOKIE, "httponly", "samesite=lax"))


def test_a_wrong_signature_is_a_problem_with_a_hint(site: str) -> None:
    text = httpx.post(site + "/api/session/challenge", json={"account": ALICE.address}).json()["message"]
    refused = httpx.post(site + "/api/session", json={"message": text, "signature": "0x" + sign(BOB, text).hex()})

    assert refused.status_code == 401
    assert refused.json()["code"] == "sign-in-refused"
    assert refused.json()["hint"]


@pytest.mark.parametrize("signature", ["", "0x1", "zz", "0x" + "00" * 65, "0x"])
def test_a_signature_that_is_none_is_refused(site: str, signature: str) -> None:
    text = httpx.post(site + "/api/session/challenge", json={"account": ALICE.address}).json()["message"]
    refused = httpx.post(site + "/api/session", json={"message": text, "signature": signature})

    assert refused.status_code in (401, 422)


def test_the_page_of_another_site_cannot_begin_or_end_a_session(site: str) -> None:
    other = {"origin": "https://evil.example"}
    statuses = [
        httpx.post(site + "/api/session/challenge", json={"account": ALICE.address}, headers=other).status_code,
        httpx.post(site + "/api/session", json={}, headers=other).status_code,
        httpx.delete(site + "/api/session", headers=other).status_code,
    ]

    assert statuses == [403, 403, 403]


@pytest.mark.parametrize("cookie", ["", "x", "x" * 129, "../../etc"])
def test_a_cookie_of_ones_own_making_is_nobody(site: str, cookie: str) -> None:
    answer = httpx.get(site + "/whoami", headers={"cookie": f"{COOKIE}={cookie}"})

    assert (answer.status_code, answer.json()) == (200, "")


def test_a_server_that_answers_to_any_name_lets_nobody_sign_in(signin: SignIn) -> None:
    """A copy of the site that passes its visitors' messages on would get the sessions."""
    app: FastAPI = create(version="1", hub=Hub(), outer=(Middleware(SessionMiddleware, signin=signin),))
    app.include_router(router(signin, named=False))
    host = {"host": "evil.example"}
    text = signin.challenge(ALICE.address, domain="evil.example", uri="http://evil.example/")
    signed = {"message": text, "signature": "0x" + sign(ALICE, text).hex()}
    with serve(app) as url:
        asked = httpx.post(url + "/api/session/challenge", json={"account": ALICE.address}, headers=host)
        begun = httpx.post(url + "/api/session", json=signed, headers=host)

    assert [asked.status_code, begun.status_code] == [403, 403]
    assert {asked.json()["code"], begun.json()["code"]} == {"sign-in-closed"}
    assert "MERCATO_API_HOSTS" in asked.json()["hint"]
    assert "set-cookie" not in begun.headers
