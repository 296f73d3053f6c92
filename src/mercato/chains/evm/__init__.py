"""Adapters to EVM chains: the embedded chain, its two engines, JSON-RPC endpoints and Anvil.

Nothing is loaded here; import the adapter that is wanted, or ask `chains.settings.open_chain`.
"""
