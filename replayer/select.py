"""Which cases of a suite run."""

from wiretape.select import Named, select

__all__ = ["Named", "select"]
