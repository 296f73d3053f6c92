"""The agent token and the test dollar: ERC-20, ERC-2612, ERC-3009, and the lock until LIVE."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercato.chains import Address, Deployed, Reverted, keccak
from mercato.chains.evm.local import LocalChain
from mercato.chains.signing import Key
from mercato.chains.testing import KEYS
from mercato.contracts import load
from mercato.launch.stage import OPERATOR, made
from tests.contracts.auctions import who
from tests.profiles import examples

ANN, BEN = Key(KEYS[0]), Key(KEYS[1])
CLEO, MOVER = who(3), who(4)
ZERO = Address("0x" + "00" * 20)
NONCE = b"\x07" * 32
TRANSFER = "TransferWithAuthorization"
RECEIVE = "ReceiveWithAuthorization"
MOVE = "(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"


def dollar() -> Deployed:
    made_dollar = made(LocalChain(), "test_dollar")
    made_dollar.send("faucet", ANN.address, 1_000, sender=CLEO)
    return made_dollar


def token(*, live: bool = True) -> Deployed:
    """Returns an agent token of which Ann has 1,000 and the mover 9,000."""
    agent = made(LocalChain(), "agent_token", "Agent", "AGENT")
    agent.send("issue", MOVER, [ANN.address, MOVER], [1_000, 9_000], sender=OPERATOR)
    for _ in range(live):
        agent.send("go_live", sender=MOVER)
    return agent


KINDS = {"test_dollar": dollar, "agent_token": token}


@pytest.fixture(params=KINDS)
def coin(request: pytest.FixtureRequest) -> Deployed:
    return KINDS[request.param]()


def word(value: int | str | bytes) -> bytes:
    """Returns a number, an address or a hash as one word of a struct."""
    number = int(value, 16) if isinstance(value, str) else value
    return number if isinstance(number, bytes) else number.to_bytes(32, "big")


def signed(coin: Deployed, key: Key, kind: str, *values: Any) -> tuple[int, bytes, bytes]:
    """Returns (v, r, s) of a struct that a key signs for a contract."""
    message = keccak(keccak(kind.encode()) + b"".join(word(value) for value in values))
    signature = key.digest(keccak(b"\x19\x01" + coin.read("DOMAIN_SEPARATOR") + message))
    return signature[64], signature[:32], signature[32:64]


PERMIT = "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"


def permit(coin: Deployed, key: Key = ANN, **changes: Any) -> tuple[Any, ...]:
    """Returns the arguments of a permit: Ann lets Cleo move 300, but for changes made after it was signed."""
    deadline = coin.chain.time() + 100
    v, r, s = signed(coin, key, PERMIT, ANN.address, CLEO, 300, coin.read("nonces", ANN.address), deadline)
    given = {"owner": ANN.address, "spender": CLEO, "amount": 300, "deadline": deadline, "v": v, "r": r, "s": s}
    return tuple((given | changes).values())


def authorization(coin: Deployed, kind: str, key: Key = ANN, **changes: Any) -> tuple[Any, ...]:
    """Returns the arguments of a transfer of 300 from Ann to Ben that she signed, but for changes made afterwards."""
    now = coin.chain.time()
    given = {"owner": ANN.address, "to": BEN.address, "amount": 300, "after": now - 1, "before": now + 100}
    v, r, s = signed(coin, key, kind + MOVE, *given.values(), NONCE)
    return tuple((given | {"nonce": NONCE, "v": v, "r": r, "s": s} | changes).values())


def test_the_domain_is_that_of_eip_712(coin: Deployed) -> None:
    kind = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    name = coin.read("name").encode()
    expected = keccak(keccak(kind) + keccak(name) + keccak(b"1") + word(31337) + word(coin.address))

    assert coin.read("DOMAIN_SEPARATOR") == expected


def test_nobody_makes_so_many_dollars_that_others_get_none() -> None:
    coin = dollar()
    coin.send("faucet", CLEO, 2**200 - 1, sender=CLEO)
    with pytest.raises(Reverted, match="faucet: too much at once"):
        coin.send("faucet", CLEO, 2**200, sender=CLEO)
    coin.send("faucet", BEN.address, 1, sender=BEN.address)

    assert coin.read("balanceOf", BEN.address) == 1


def test_transfers_and_allowances_move_exactly_what_they_say(coin: Deployed) -> None:
    coin.send("transfer", BEN.address, 400, sender=ANN.address)
    coin.send("approve", CLEO, 500, sender=ANN.address)
    coin.send("transferFrom", ANN.address, CLEO, 450, sender=CLEO)

    assert [coin.read("balanceOf", who) for who in (ANN.address, BEN.address, CLEO)] == [150, 400, 450]
    assert coin.read("allowance", ANN.address, CLEO) == 50
    for amount, reason in ((51, "erc20: allowance too small"), (50, "")):
        outcome = coin.chain.simulate([coin.call("transferFrom", ANN.address, CLEO, amount, sender=CLEO)])[0]
        assert outcome.reason == reason
    with pytest.raises(Reverted, match="erc20: balance too small"):
        coin.send("transfer", BEN.address, 151, sender=ANN.address)


@pytest.mark.parametrize("nowhere", ["zero", "itself"])
def test_nothing_is_sent_where_nobody_could_ever_move_it(coin: Deployed, nowhere: str) -> None:
    to = {"zero": ZERO, "itself": coin.address}[nowhere]

    with pytest.raises(Reverted, match="erc20: receiver cannot hold tokens"):
        coin.send("transfer", to, 1, sender=ANN.address)


def test_an_endless_allowance_does_not_run_down(coin: Deployed) -> None:
    coin.send("approve", CLEO, 2**256 - 1, sender=ANN.address)
    coin.send("transferFrom", ANN.address, CLEO, 450, sender=CLEO)

    assert coin.read("allowance", ANN.address, CLEO) == 2**256 - 1


def test_a_permit_sets_an_allowance_once(coin: Deployed) -> None:
    arguments = permit(coin)
    coin.send("permit", *arguments, sender=BEN.address)

    assert coin.read("allowance", ANN.address, CLEO) == 300
    assert coin.read("nonces", ANN.address) == 1
    with pytest.raises(Reverted, match="permit: not signed by the owner"):
        coin.send("permit", *arguments, sender=BEN.address)


ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.mark.parametrize("change", [{"amount": 301}, {"spender": BEN.address}, {"owner": ZERO}, {"v": 29}])
def test_a_permit_that_was_changed_is_void(coin: Deployed, change: dict[str, Any]) -> None:
    with pytest.raises(Reverted, match="permit: not signed by the owner"):
        coin.send("permit", *permit(coin, **change), sender=BEN.address)


def test_a_permit_by_another_key_a_late_one_and_a_mirrored_one_are_void(coin: Deployed) -> None:
    v, r, s = permit(coin)[4:]
    mirrored = {"v": 55 - v, "r": r, "s": (ORDER - int.from_bytes(s, "big")).to_bytes(32, "big")}

    for arguments in (permit(coin, BEN), permit(coin, **mirrored)):
        with pytest.raises(Reverted, match="permit: not signed by the owner"):
            coin.send("permit", *arguments, sender=BEN.address)
    late = permit(coin)
    coin.chain.mine(seconds=200)  # type: ignore[attr-defined]  # a chain of one's own
    with pytest.raises(Reverted, match="permit: expired"):
        coin.send("permit", *late, sender=BEN.address)


def test_anyone_brings_a_signed_transfer_once(coin: Deployed) -> None:
    arguments = authorization(coin, TRANSFER)
    coin.send("transferWithAuthorization", *arguments, sender=CLEO)

    assert coin.read("balanceOf", BEN.address) == 300
    assert coin.read("authorizationState", ANN.address, NONCE)
    with pytest.raises(Reverted, match="authorization: used or cancelled"):
        coin.send("transferWithAuthorization", *arguments, sender=CLEO)


def test_only_the_receiver_brings_a_transfer_signed_for_receiving(coin: Deployed) -> None:
    arguments = authorization(coin, RECEIVE)

    with pytest.raises(Reverted, match="authorization: caller is not the receiver"):
        coin.send("receiveWithAuthorization", *arguments, sender=CLEO)
    with pytest.raises(Reverted, match="authorization: not signed by the owner"):
        coin.send("transferWithAuthorization", *arguments, sender=CLEO)
    coin.send("receiveWithAuthorization", *arguments, sender=BEN.address)
    assert coin.read("balanceOf", BEN.address) == 300


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"amount": 301}, "authorization: not signed by the owner"),
        ({"to": CLEO}, "authorization: not signed by the owner"),
        ({"after": 2**40}, "authorization: not valid yet"),
        ({"before": 1}, "authorization: expired"),
    ],
)
def test_a_signed_transfer_that_was_changed_is_void(coin: Deployed, change: dict[str, Any], reason: str) -> None:
    with pytest.raises(Reverted, match=reason):
        coin.send("transferWithAuthorization", *authorization(coin, TRANSFER, **change), sender=CLEO)


def test_a_cancelled_transfer_is_void(coin: Deployed) -> None:
    arguments = authorization(coin, TRANSFER)
    v, r, s = signed(coin, ANN, "CancelAuthorization(address authorizer,bytes32 nonce)", ANN.address, NONCE)
    coin.send("cancelAuthorization", ANN.address, NONCE, v, r, s, sender=CLEO)

    with pytest.raises(Reverted, match="authorization: used or cancelled"):
        coin.send("transferWithAuthorization", *arguments, sender=CLEO)
    with pytest.raises(Reverted, match="authorization: used or cancelled"):
        coin.send("cancelAuthorization", ANN.address, NONCE, v, r, s, sender=CLEO)


@given(moves=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 1_200)), max_size=12))
@settings(max_examples=examples(15))
def test_no_order_of_transfers_makes_or_loses_money(moves: list[tuple[int, int, int]]) -> None:
    coin, people = dollar(), (ANN.address, BEN.address, CLEO)
    balances = [1_000, 0, 0]
    for source, target, amount in moves:
        (outcome,) = coin.chain.simulate([coin.call("transfer", people[target], amount, sender=people[source])])
        assert outcome.succeeded == (amount <= balances[source])
        for _ in range(outcome.succeeded):
            coin.send("transfer", people[target], amount, sender=people[source])
            balances[source] -= amount
            balances[target] += amount

    assert [coin.read("balanceOf", person) for person in people] == balances


# The agent token alone


LOCKED_CALLS = {
    "transfer": (CLEO, 1),
    "transferFrom": (ANN.address, CLEO, 1),
    "burn": (1,),
    "transferWithAuthorization": (ANN.address, CLEO, 1, 0, 2**40, NONCE, 27, NONCE, NONCE),
    "receiveWithAuthorization": (ANN.address, CLEO, 1, 0, 2**40, NONCE, 27, NONCE, NONCE),
}


@pytest.mark.parametrize("function", LOCKED_CALLS)
def test_before_live_nobody_moves_a_token_in_any_way(function: str) -> None:
    agent = token(live=False)

    assert not agent.read("live")
    with pytest.raises(Reverted, match="token: locked until live"):
        agent.send(function, *LOCKED_CALLS[function], sender=ANN.address)


def test_before_live_the_mover_may_and_going_live_ends_that_for_ever() -> None:
    agent = token(live=False)
    agent.send("transfer", CLEO, 5, sender=MOVER)
    agent.send("approve", BEN.address, 5, sender=MOVER)
    agent.send("transferFrom", MOVER, CLEO, 5, sender=BEN.address)
    with pytest.raises(Reverted, match="token: only the mover"):
        agent.send("go_live", sender=OPERATOR)
    agent.send("go_live", sender=MOVER)

    assert agent.read("live")
    assert agent.read("balanceOf", CLEO) == 10
    with pytest.raises(Reverted, match="token: only the mover"):
        agent.send("go_live", sender=MOVER)


def test_the_supply_is_issued_once_by_the_creator_and_only_falls() -> None:
    agent = token()
    agent.send("burn", 400, sender=ANN.address)

    assert agent.read("totalSupply") == 9_600
    with pytest.raises(Reverted, match="token: already issued"):
        agent.send("issue", MOVER, [ANN.address], [1], sender=OPERATOR)
    with pytest.raises(Reverted, match="token: only the issuer"):
        agent.send("issue", MOVER, [ANN.address], [1], sender=ANN.address)
    with pytest.raises(Reverted, match="erc20: balance too small"):
        agent.send("burn", 601, sender=ANN.address)


@pytest.mark.parametrize(
    ("mover", "holders", "amounts", "reason"),
    [
        (MOVER, [CLEO], [], "token: holders and amounts differ"),
        (MOVER, [CLEO], [0], "token: no supply"),
        (ZERO, [CLEO], [1], "token: mover missing"),
        (MOVER, [ZERO], [1], "erc20: receiver cannot hold tokens"),
    ],
)
def test_an_issue_that_cannot_be_is_refused(mover: str, holders: list[str], amounts: list[int], reason: str) -> None:
    agent = made(LocalChain(), "agent_token", "Agent", "AGENT")

    with pytest.raises(Reverted, match=reason):
        agent.send("issue", mover, holders, amounts, sender=OPERATOR)


def test_a_token_that_was_never_issued_is_not_live() -> None:
    assert not made(LocalChain(), "agent_token", "Agent", "AGENT").read("live")


def test_the_token_has_no_function_that_an_owner_could_abuse() -> None:
    writes = {part.get("name") for part in load("agent_token").abi if part.get("stateMutability") == "nonpayable"}

    assert writes - {None} == {
        "approve", "burn", "cancelAuthorization", "go_live", "issue", "permit", "receiveWithAuthorization", "transfer",
        "transferFrom", "transferWithAuthorization",
    }  # fmt: skip
