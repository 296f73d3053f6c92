# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
# SPDX-License-Identifier: Apache-2.0
"""
@title Demand by price level, and the price that clears it
@notice Formulas (1) to (3) of `mercato.launch.clearing`, in integers; prices are Q96, amounts below 2**112.
@dev Invariant: a level's demand is the sum of what was added to it and not taken from it. The caller keeps the sum
     of all levels below 2**112, the sale too, and the top price below 2**128: then no product passes 256 bits.
"""

# constants

LOW_128: constant(uint256) = 2**128 - 1
BPS: constant(uint256) = 10_000


# structs

struct Grid:
    floor_q96: uint256
    step_bps: uint256
    levels: uint256

struct Result:
    k: uint256  # the lowest level that gets a fill
    raised: uint256  # R, quote base units
    sold: uint256  # T, token base units
    r_mid: uint256  # what level k spends of its d_mid; both 0 where it fills whole
    d_mid: uint256
    r_nc: uint256  # what retail spends of its a_nc
    a_nc: uint256


# state

pairs: uint256[128]  # demand of two levels a word, the even one below


# internal functions

@internal
def _change(level: uint256, amount: uint256, more: bool):
    """Adds to a level's demand or takes from it; the total's limit and the bids' sums keep it within 112 bits."""
    moved: uint256 = amount << 128 if level & 1 == 1 else amount
    pair: uint256 = self.pairs[level >> 1]
    self.pairs[level >> 1] = unsafe_add(pair, moved) if more else unsafe_sub(pair, moved)


@internal
@view
def _demand(level: uint256) -> uint256:
    pair: uint256 = self.pairs[level >> 1]
    return pair >> 128 if level & 1 == 1 else pair & LOW_128


@internal
@view
def _demands() -> uint256[256]:
    found: uint256[256] = empty(uint256[256])
    for i: uint256 in range(256):
        found[i] = self._demand(i)
    return found


@internal
@pure
def _next(p: uint256, step_bps: uint256) -> uint256:
    return unsafe_div(unsafe_add(unsafe_mul(p, unsafe_add(BPS, step_bps)), BPS - 1), BPS)


@internal
@pure
def _prices(grid: Grid) -> uint256[256]:
    prices: uint256[256] = empty(uint256[256])
    p: uint256 = grid.floor_q96
    prices[0] = p
    grown: uint256 = unsafe_add(BPS, grid.step_bps)
    for i: uint256 in range(1, grid.levels, bound=255):
        p = unsafe_div(unsafe_add(unsafe_mul(p, grown), BPS - 1), BPS)  # `_next`, without 255 calls of it
        prices[i] = p
    return prices


@internal
@pure
def _price(grid: Grid, level: uint256) -> uint256:
    p: uint256 = grid.floor_q96
    for i: uint256 in range(level, bound=255):
        p = self._next(p, grid.step_bps)
    return p


@internal
@view
def _clear(grid: Grid, sale: uint256, retail: uint256, a: uint256) -> Result:
    """Returns formulas (1) to (3) on the books, retail escrow `a`; at most 256 levels, whatever the number of bids."""
    prices: uint256[256] = self._prices(grid)
    i: uint256 = grid.levels
    # Each word is read once, at its odd level; only where the top level is an even one it would be missing.
    pair: uint256 = self.pairs[unsafe_sub(i, 1) >> 1]
    net: uint256 = sale - retail
    base: uint256 = 0
    d: uint256 = 0
    c: uint256 = 0  # demand at level i and above
    nc: uint256 = 0
    p: uint256 = 0
    cost: uint256 = 0  # in Q96
    for _: uint256 in range(grid.levels, bound=256):
        i = unsafe_sub(i, 1)
        if i & 1 == 1:
            pair = self.pairs[i >> 1]
            d = pair >> 128
        else:
            d = pair & LOW_128
        c = unsafe_add(c, d)
        p = prices[i]
        cost = unsafe_mul(sale, p)
        # Level by level only what (1) needs is asked: that all of retail's escrow, or all of its cap, would do.
        if unsafe_mul(unsafe_add(c, a), 2**96) >= cost:
            if unsafe_mul(c, 2**96) >= unsafe_mul(net, p):
                nc = min(a, unsafe_mul(retail, p) >> 96)
                base = unsafe_add(cost, 2**96 - 1) >> 96
                if unsafe_add(c, nc) >= base:
                    return self._at(i, d, c - d, sale, retail, a, nc, base)
    nc = min(a, unsafe_mul(retail, p) >> 96)
    raised: uint256 = c + nc  # (2)
    return Result(
        k=0, raised=raised, sold=min(sale, (raised << 96) // prices[0]), r_mid=d, d_mid=d, r_nc=nc, a_nc=a
    )


@internal
@pure
def _at(
    i: uint256, d: uint256, above: uint256, sale: uint256, retail: uint256, a: uint256, nc: uint256, base: uint256
) -> Result:
    """Returns (3) for k = i: its demand, the demand above it, retail's escrow and its share, the sale's cost."""
    if a * sale <= retail * (above + a) and above + a > base:  # (3a)
        return Result(k=i + 1, raised=above + a, sold=sale, r_mid=0, d_mid=0, r_nc=a, a_nc=a)
    if retail < sale:
        r: uint256 = retail * above // (sale - retail)
        if r <= a and above + r > base:  # (3b)
            return Result(k=i + 1, raised=above + r, sold=sale, r_mid=0, d_mid=0, r_nc=r, a_nc=a)
    return Result(k=i, raised=base, sold=sale, r_mid=base - above - nc, d_mid=d, r_nc=nc, a_nc=a)  # (3c)
