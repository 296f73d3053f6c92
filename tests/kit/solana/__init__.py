"""The kit on Solana, on the embedded cluster."""
