"""Attestation of machines whose memory their own operator cannot read: who proves what, and until when it is taken."""
