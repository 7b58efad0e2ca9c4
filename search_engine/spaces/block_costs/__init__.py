"""Blocks that are there or not, and what sets of them cost."""
