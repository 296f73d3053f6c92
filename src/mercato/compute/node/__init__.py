"""The provider's side: a key, signed offers, and a tunnel that is dialled outwards only.

`offers` and `frames` are pure; `hub` is the gateway's end of the tunnel, `dial` the node's.
"""
