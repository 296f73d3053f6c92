"""Adapters to Solana: the embedded chain on LiteSVM, any cluster behind JSON-RPC, and the façade of the first.

Nothing is loaded here; import the adapter that is wanted, or ask `chains.opening.open_cluster`. Whatever runs or
compiles a transaction needs solders, the extra `solana`.
"""
