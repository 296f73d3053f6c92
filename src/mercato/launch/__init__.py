"""The launch room: from an application to an agent token with locked liquidity, through a fair auction.

`clearing` is the auction's mathematics in Python integers: the executable specification of the contract.
"""

__all__: list[str] = []
