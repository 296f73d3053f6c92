# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
# SPDX-License-Identifier: Apache-2.0
"""
@title The curve of a pool and its fee
@notice Formulas (1) to (4) of `mercato.launch.pool`, in integers. Reserves and amounts are below 2^112.
@dev Invariant: what leaves is rounded down and the fee up, so that the product of the reserves cannot fall.
"""

# constants

PPM: constant(uint256) = 1_000_000
BASE_FEE: constant(uint256) = 10_000  # 1 % in parts per million
OPENING_FEE: constant(uint256) = 50_000  # 5 %, falling to the base fee
FALL: constant(uint256) = 1_800  # seconds that it takes


# internal functions

@internal
@pure
def _fee_ppm(age: uint256) -> uint256:
    """Returns the fee of a pool that opened `age` seconds ago, in parts per million (1)."""
    if age >= FALL:
        return BASE_FEE
    return BASE_FEE + (OPENING_FEE - BASE_FEE) * (FALL - age) // FALL


@internal
@pure
def _bought(token: uint256, quote: uint256, paid: uint256, ppm: uint256) -> (uint256, uint256):
    """Returns the tokens that `paid` quote buys from these reserves, and the fee (2)."""
    fee: uint256 = self._ceil(paid * ppm, PPM)
    net: uint256 = paid - fee
    return token * net // (quote + net), fee


@internal
@pure
def _sold(token: uint256, quote: uint256, tokens: uint256, ppm: uint256) -> (uint256, uint256):
    """Returns the quote that `tokens` sell for into these reserves, its fee taken off, and the fee (3)."""
    gross: uint256 = quote * tokens // (token + tokens)
    fee: uint256 = self._ceil(gross * ppm, PPM)
    return gross - fee, fee


@internal
@pure
def _base(fee: uint256, turnover: uint256) -> uint256:
    """Returns the part of a fee that is shared out (4); what early trades pay above it is not."""
    return min(fee, turnover * BASE_FEE // PPM)


@internal
@pure
def _ceil(a: uint256, b: uint256) -> uint256:
    return (a + b - 1) // b
