# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title The terms of one launch
@notice What a review approved, as the factory takes it. Amounts are wei of the token or the quote token, times are
        seconds, shares are 1/10000.
"""

struct Allocation:
    holder: address
    amount: uint256  # token wei
    gated_bps: uint256  # part that waits for the price as well
    cliff: uint256  # seconds after the auction's window before which nothing vests
    duration: uint256  # seconds after the cliff until all has vested; 0 gives the tokens to the holder outright

struct Launch:
    application: bytes32  # hash of the approved application; all addresses follow from it
    name: String[64]
    symbol: String[16]
    supply: uint256  # must be the auction's tokens and all allocations together
    creator: address  # earns the escrow's money and the creator's pool fees
    graduator: address  # which kind of pool
    gate: address  # empty: no retail tranche
    sale: uint256  # S
    retail_cap: uint256  # S_nc
    raise_min: uint256  # R_min
    floor_q96: uint256  # P_0
    step_bps: uint256
    levels: uint256
    min_bid: uint256
    lp_bps: uint256  # lambda
    opens: uint256
    locks: uint256
    closes: uint256
    at_once_bps: uint256  # of the raise, which the creator may take when live
    milestones: DynArray[uint256, 8]  # parts of the rest of the escrow
    allocations: DynArray[Allocation, 8]
