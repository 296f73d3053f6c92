"""Gas: exact where a chain says it is, to the last unit of a real node; a lower bound where it does not."""

from __future__ import annotations

import pytest

from mercato.chains import Call, Chain
from mercato.chains.signing import Key
from mercato.chains.testing import ACCOUNTS, KEYS
from tests.conformance.chain.conftest import CHAINS
from tests.conformance.chain.probe import compiled, probe

ANN, BOB, CAM = ACCOUNTS[:3]


def spent(chain: Chain) -> list[int]:
    """Gas of a walk past all that is hard to count: cold and warm slots, refunds, calldata, creation, failures."""
    contract = probe(chain, 3)
    face = contract.interface
    calls = [
        face.encode("add", 1), face.encode("add", 1), face.encode("fill", 0, 9), face.encode("fill", 0, 9),
        face.encode("clear", 0, 9), face.encode("clear", 0, 9), face.encode("fill", 0, 2), face.encode("touch"),
        face.encode("spawn", b"\1" * 32), face.encode("add", 200), face.encode("refuse_with", bytes(range(100))),
        face.encode("halt"), face.encode("pay", "0x" + "ee" * 20, 1), face.encode("pay", "0x" + "ee" * 20, 1),
    ]  # fmt: skip
    hashes = [chain.send(Call(ANN, contract.address, value=100))]
    hashes += [chain.send(Call(BOB, contract.address, data, gas=1_000_000)) for data in calls]
    hashes.append(chain.send(Call(CAM, "0x" + "dd" * 20, value=1)))  # type: ignore[arg-type]  # an address nobody has
    listed = {"gasPrice": 0, "accessList": [(contract.address, [0, 1])], "data": face.encode("add", 1)}
    fields = {"chainId": 31337, "nonce": 1, "gas": 100_000, "to": contract.address, **listed}
    hashes.append(chain.send_raw(Key(KEYS[2]).transaction(fields)))
    creation = chain.block(1).transactions[0]
    return [chain.wait(hash).gas_used for hash in (creation, *hashes)]


def gas(name: str) -> list[int]:
    with CHAINS[name](True) as rig:
        return spent(rig.chain)


@pytest.mark.npm
def test_the_exact_engine_counts_as_a_real_node() -> None:
    assert gas("py-evm") == gas("anvil")


def test_the_fast_engine_counts_no_more_than_the_exact_one() -> None:
    fast, exact = gas("pyrevm"), gas("py-evm")

    assert all(low <= right for low, right in zip(fast, exact, strict=True))
    assert fast[0] == exact[0]
    assert fast != exact
    assert compiled()["abi"]
