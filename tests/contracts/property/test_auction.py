"""The contract against its specification, to the wei; and what must hold whatever people bid."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mercato.chains.evm.local import LocalChain
from mercato.launch.case import Case
from mercato.launch.clearing import Clearing, liquidity
from mercato.launch.settle import by_model
from tests.contracts.auctions import cases, play
from tests.profiles import examples


@given(case=cases())
@settings(max_examples=examples(100))
def test_the_contract_settles_every_auction_like_the_model_to_the_wei(case: Case) -> None:
    expected = by_model(case)
    played = play(LocalChain(), case)
    found = Clearing(*played.on.auction.read("result"))

    assert played.on.state() == ("FAILED" if expected.failed else "LIVE")
    assert (found.k, found.raised, found.sold) == (expected.k, expected.raised, expected.sold)
    assert played.fills == tuple(fill for _, fill in expected.bids)


@given(case=cases(most=6), data=st.data())
@settings(max_examples=examples(10))
def test_i5_every_order_of_bids_and_of_claims_gives_the_same_result(case: Case, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(case.bids))))
    claims = data.draw(st.permutations(range(len(case.bids))))

    assert play(LocalChain(), case, list(order), list(claims)).fills == play(LocalChain(), case).fills


@given(case=cases(most=6))
@settings(max_examples=examples(20))
def test_i1_i2_what_left_and_what_stays_add_up_to_what_came_in(case: Case) -> None:
    played = play(LocalChain(), case)
    on, escrow = played.on, sum(bid.amount for bid in case.bids)
    found = Clearing(*on.auction.read("result"))
    left, charged = on.quote.read("balanceOf", on.auction.address), sum(fill.charge for fill in played.fills)
    given_out = sum(fill.tokens for fill in played.fills)
    lp_tokens = liquidity(found, 7500)[1] if not found.failed else 0

    assert charged + sum(fill.refund for fill in played.fills) == escrow
    assert 0 <= left == charged - found.raised <= len(case.bids)
    assert given_out <= found.sold <= case.sale
    assert found.failed or on.token.read("totalSupply") == found.sold + lp_tokens
