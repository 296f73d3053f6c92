# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Locker of liquidity
@notice Whatever is sent here stays here: this contract can call nothing but `balanceOf`, and nobody can change it.
"""

from ethereum.ercs import IERC20


@external
@view
def locked(pair: address) -> uint256:
    """
    @notice Returns how many shares of a pair are locked here for good.
    @param pair The pair, which is the token of its own shares
    """
    return staticcall IERC20(pair).balanceOf(self)
