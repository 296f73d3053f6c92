# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
# SPDX-License-Identifier: Apache-2.0
"""
@title What an auction is created with
@notice The terms of one sale, fixed for ever, and what makes them possible.
"""

# modules

import _levels

# constants

BPS: constant(uint256) = 10_000
LIMIT: constant(uint256) = 2**112  # of amounts; with the next one every product fits in 256 bits
PRICE_LIMIT: constant(uint256) = 2**128


# structs

struct Params:
    token: address
    quote: address
    graduator: address
    gate: address  # empty: no retail tranche
    uptime: address  # empty: a chain without a sequencer
    curator: address  # may abort before the window opens, and nothing else
    sale: uint256  # S, token base units
    retail_cap: uint256  # S_nc, token base units
    raise_min: uint256  # R_min, quote base units
    floor_q96: uint256  # P_0
    step_bps: uint256
    levels: uint256
    min_bid: uint256  # quote base units
    lp_bps: uint256  # lambda
    opens: uint256  # seconds since 1970, as the next two
    locks: uint256
    closes: uint256


# internal functions

@internal
@view
def _check(params: Params):
    assert params.token != empty(address) and params.quote != empty(address), "auction: token missing"
    assert params.token != params.quote, "auction: token was the quote"
    assert params.graduator != empty(address), "auction: graduator missing"
    assert 0 < params.sale and params.sale < LIMIT, "auction: sale out of range"
    assert params.retail_cap <= params.sale, "auction: retail cap above the sale"
    assert params.raise_min < LIMIT, "auction: least raise out of range"
    assert 0 < params.levels and params.levels <= 256, "auction: levels out of range"
    assert 0 < params.step_bps and params.step_bps <= BPS, "auction: step out of range"
    assert 0 < params.min_bid and params.min_bid < LIMIT, "auction: least bid out of range"
    assert params.lp_bps <= BPS, "auction: liquidity share out of range"
    assert block.timestamp <= params.opens and params.opens < params.locks, "auction: window out of order"
    assert params.locks <= params.closes and params.closes < 2**31, "auction: window out of order"
    p: uint256 = params.floor_q96
    assert 0 < p and p < PRICE_LIMIT, "auction: floor out of range"
    for i: uint256 in range(params.levels - 1, bound=255):
        p = _levels._next(p, params.step_bps)
        assert p < PRICE_LIMIT, "auction: top level out of range"


@internal
@pure
def _allotment(params: Params) -> uint256:
    """Returns the tokens that the auction must hold: the sale and the liquidity reserve, lambda of it."""
    return params.sale + params.sale * params.lp_bps // BPS
