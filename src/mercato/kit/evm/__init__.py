"""The kit on EVM chains: effects out of a dry run, and the way from a plan to a block."""
