"""Compute: open models served by anyone, through a gateway that verifies and meters what it pays for."""

from mercato.compute.model import End, Offer, Price, Provider, Receipt, Standing, Surface, Usage

__all__ = ["End", "Offer", "Price", "Provider", "Receipt", "Standing", "Surface", "Usage"]
