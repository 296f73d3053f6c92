"""Names of chains, accounts and assets read as CAIP-2, CAIP-10 and CAIP-19 say, and equal things have equal names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.core.chain import Account, Asset, Chain
from mercato.core.errors import InvalidInput

ADDRESS = "0x0b3e328455c4059EEb9e3f84b5543F74E24e7E1b"
chains = st.builds(
    Chain, st.from_regex(r"[-a-z0-9]{3,8}", fullmatch=True), st.from_regex(r"[-_a-zA-Z0-9]{1,32}", fullmatch=True)
)
plain = chains.filter(lambda chain: chain.namespace != "eip155")
address = st.from_regex(r"[-.%a-zA-Z0-9]{1,128}", fullmatch=True)


@given(chains)
def test_a_chain_comes_back_from_its_name(chain: Chain) -> None:
    assert Chain.parse(str(chain)) == chain


@given(plain, address)
def test_an_account_comes_back_from_its_name(chain: Chain, address: str) -> None:
    account = Account(chain, address)

    assert Account.parse(str(account)) == account


@given(
    plain,
    st.from_regex(r"[-a-z0-9]{3,8}", fullmatch=True),
    address,
    st.from_regex(r"[a-zA-Z0-9]{0,78}", fullmatch=True),
)
def test_an_asset_comes_back_from_its_name(chain: Chain, namespace: str, reference: str, item: str) -> None:
    asset = Asset(chain, namespace, reference, item)

    assert Asset.parse(str(asset)) == asset


@pytest.mark.parametrize(
    "text",
    [
        "eip155:8453/erc20:" + ADDRESS.lower(),
        "eip155:1/slip44:60",
        "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp/token:DezXAZ8z7PnrnRJjz3wXBoRgixCa6xjnB7YaB1pPB263",
        "eip155:1/erc721:0x06012c8cf97bead5deae237070f9587f8e7a266d/771769",
        "cosmos:cosmoshub-3/slip44:118",
        "bip122:000000000019d6689c085ae165831e93/slip44:0",
    ],
)
def test_known_assets_keep_their_names(text: str) -> None:
    assert str(Asset.parse(text)) == text


def test_addresses_of_evm_chains_mean_the_same_in_any_case() -> None:
    upper, lower = f"eip155:8453:{ADDRESS}", f"eip155:8453:{ADDRESS.lower()}"

    assert Account.parse(upper) == Account.parse(lower)
    assert Asset.parse(f"eip155:8453/erc20:{ADDRESS}") == Asset.parse(f"eip155:8453/erc20:{ADDRESS.lower()}")


def test_other_addresses_keep_their_case() -> None:
    assert Account.parse("solana:abc:AbC") != Account.parse("solana:abc:abc")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Chain, ""), (Chain, "eip155"), (Chain, "eip155:"), (Chain, "EIP155:1"), (Chain, "ei:1"), (Chain, "eip155:1 "),
        (Chain, "toolongname:1"), (Chain, "eip155:" + "1" * 33), (Chain, "eip155:1\n"), (Chain, "a:b:c:d"),
        (Account, "eip155:1"), (Account, "eip155:1:0x12"), (Account, "eip155:1:" + "g" * 42), (Account, "solana:x:a/b"),
        (Asset, "eip155:1"), (Asset, "eip155:1/erc20"), (Asset, "eip155:1/erc20:0x12"), (Asset, "eip155:1/slip44:60/"),
        (Asset, "eip155:1/slip44:"), (Asset, "slip44:60"), (Asset, "eip155:1/sl:60"), (Asset, "x:1/erc20:é"),
    ],
)  # fmt: skip
def test_a_malformed_name_is_refused_with_what_was_wrong(kind: type[Chain | Account | Asset], text: str) -> None:
    with pytest.raises(InvalidInput, match=r"was '.*'") as caught:
        kind.parse(text)

    assert caught.value.hint


@given(st.sampled_from([Chain, Account, Asset]), st.text())
def test_any_other_text_is_refused_or_means_itself(kind: type[Chain | Account | Asset], text: str) -> None:
    try:
        name = str(kind.parse(text))
    except InvalidInput:
        name = text

    assert name.lower() == text.lower()
