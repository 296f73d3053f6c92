"""Benchmarks of Mercato beside its rivals, in the same run on the same data: `make bench`."""
