"""The local economy: a simulated season of applications, auctions and trading, lived on a chain of one's own.

Nobody in it exists; every figure that comes of it says `simulated`.
"""

__all__: list[str] = []
