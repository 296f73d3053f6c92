"""Nothing goes to a chain where money may be real, and no test can change that by accident."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mercato.chains import Call, open_chain
from mercato.chains.errors import BadAnswer, RealChainRefused, Unreachable
from mercato.chains.evm.endpoint import Endpoint
from mercato.chains.evm.local import LocalChain
from mercato.chains.evm.rpc import Rpc
from mercato.chains.facade import Facade
from mercato.chains.fuse import DEVELOPMENT, check
from mercato.chains.settings import ChainSettings
from mercato.chains.signing import Key
from mercato.chains.testing import ACCOUNTS, ETHER, KEYS
from mercato.core.errors import Refused, Terminal
from mercato.core.settings import Secret, load

BASE = 8453


@pytest.fixture
def real() -> Iterator[Facade]:
    """A chain of this process that says it is a real one."""
    chain = LocalChain(BASE)
    chain.fund(ACCOUNTS[0], ETHER)
    with Facade(chain, 0, accounts=ACCOUNTS) as facade:
        yield facade


@pytest.mark.parametrize("chain_id", [1, 10, 56, 137, 8453, 42161, 11155111, 31338])
def test_chains_of_others_are_refused(chain_id: int) -> None:
    with pytest.raises(RealChainRefused, match=f"chain id was {chain_id}") as refused:
        check(chain_id, allow_real_chains=False)

    assert isinstance(refused.value, Refused)
    assert isinstance(refused.value, Terminal)
    assert chain_id not in DEVELOPMENT


@pytest.mark.parametrize("chain_id", sorted(DEVELOPMENT))
def test_development_chains_pass(chain_id: int) -> None:
    check(chain_id, allow_real_chains=False)
    assert {1337, 31337} == DEVELOPMENT


def test_every_way_of_sending_meets_the_fuse(real: Facade) -> None:
    call = Call(ACCOUNTS[0], ACCOUNTS[1], value=1)
    signed = Key(KEYS[0]).transaction(
        {"chainId": BASE, "nonce": 0, "gas": 21_000, "maxFeePerGas": 0, "to": ACCOUNTS[1], "value": 1}
    )
    for signers in ([Key(KEYS[0])], []):
        chain = Rpc(Endpoint(Secret(real.url)), BASE, signers)
        with pytest.raises(RealChainRefused):
            chain.send(call)
        with pytest.raises(RealChainRefused):
            chain.send_raw(signed)
        assert (chain.nonce(ACCOUNTS[0]), chain.balance(ACCOUNTS[0])) == (0, ETHER)
        chain.close()


def test_reading_a_real_chain_is_allowed_and_sending_once_the_fuse_is_out(real: Facade) -> None:
    chain = Rpc(Endpoint(Secret(real.url)), BASE, [Key(KEYS[0])], allow_real_chains=True)

    chain.wait(chain.send(Call(ACCOUNTS[0], ACCOUNTS[1], value=5)))

    assert chain.balance(ACCOUNTS[1]) == 5
    chain.close()


def test_no_environment_takes_the_fuse_out_under_test(tmp_path: Path) -> None:
    (tmp_path / "mercato.toml").write_text("[chains]\nallow_real_chains = true\n")

    assert os.environ["MERCATO_CHAINS_ALLOW_REAL_CHAINS"] == "false"
    assert not load(ChainSettings, home=tmp_path).of(ChainSettings).allow_real_chains


def test_the_fuse_is_in_unless_somebody_takes_it_out() -> None:
    assert not ChainSettings().allow_real_chains


def test_settings_open_the_chain_that_they_name(real: Facade) -> None:
    inside = open_chain(ChainSettings(chain_id=1337, engine="py-evm"))
    node = open_chain(ChainSettings(rpc=Secret(real.url), chain_id=BASE, key=Secret(KEYS[0].hex())))

    assert (str(inside.name), str(node.name)) == ("eip155:1337", "eip155:8453")
    with pytest.raises(RealChainRefused):
        node.send(Call(ACCOUNTS[0], ACCOUNTS[1]))
    with pytest.raises(BadAnswer, match=r"chain id of 127\.0\.0\.1 was 8453"):
        open_chain(ChainSettings(rpc=Secret(real.url)))
    assert isinstance(node, Rpc)
    node.close()


def test_a_node_that_is_not_there_is_said_without_its_address() -> None:
    with pytest.raises(Unreachable) as gone:
        open_chain(ChainSettings(rpc=Secret("http://127.0.0.1:1/v3/0123456789abcdef")))

    assert "0123456789abcdef" not in str(gone.value) + repr(gone.value.__cause__) + repr(gone.value.facts)
    assert "127.0.0.1 did not answer" in str(gone.value)
