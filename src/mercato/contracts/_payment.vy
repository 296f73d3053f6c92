# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Moving tokens whose code is not ours
@notice Accepts tokens that return nothing, refuses those that return false, and on the way in refuses any whose
        balance did not grow by exactly the amount: fees on transfer, rebasing.
"""

from ethereum.ercs import IERC20


@internal
def _pull(token: address, payer: address, amount: uint256):
    """
    @dev Takes exactly `amount` from `payer`, who approved it before.
    """
    before: uint256 = staticcall IERC20(token).balanceOf(self)
    assert extcall IERC20(token).transferFrom(payer, self, amount, default_return_value=True), "payment: refused"
    assert staticcall IERC20(token).balanceOf(self) == before + amount, "payment: amount changed on the way"


@internal
def _pay(token: address, to: address, amount: uint256):
    """
    @dev Sends `amount` to `to`.
    """
    assert extcall IERC20(token).transfer(to, amount, default_return_value=True), "payment: refused"
