"""Budgeted super-networks: sampled blocks, what they cost, and how their probabilities move."""
