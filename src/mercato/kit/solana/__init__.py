"""The kit on Solana: what plans are there, effects out of a dry run, and the way from a plan to a block."""
