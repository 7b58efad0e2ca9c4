"""Removing single weights of a plain network: by magnitude in rounds (lottery tickets), or by trained masks over weights that never move
(supermasks)."""
