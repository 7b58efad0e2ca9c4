"""A seeded permutation of the numbers below n, one image at a time and without memory, for n of any size."""

from __future__ import annotations

import hashlib
import math

ROUNDS = 8
"""Halves are mixed this many times each way; four already hide the order of neighbours, the rest is cheap."""


class IndexPermutation:
    """A keyed bijection of range(size).

    A Feistel network on pairs (left, right) with left < a, right < b and a * b just above the size: each half is shifted, modulo its
    own range, by a hash of the other one, which can be undone and so never maps two numbers to one. An image outside the range is
    mapped on until it falls inside (cycle walking), which keeps it a bijection of range(size). Source: Black and Rogaway, "Ciphers with
    Arbitrary Finite Domains", CT-RSA 2002 (their methods 2 and 3).

    >>> order = IndexPermutation(5, seed=1)
    >>> sorted(order[index] for index in range(5))
    [0, 1, 2, 3, 4]
    """

    def __init__(self, size: int, seed: int) -> None:
        """Raises ValueError for an empty range."""
        if size < 1:
            raise ValueError("a permutation needs at least one element")
        self.size = size
        self._left = math.isqrt(size - 1) + 1
        self._right = -(-size // self._left)
        # 64 bits more than a half has, so that the modulus leaves no visible bias.
        self._bytes = (self._left.bit_length() + 7) // 8 + 8
        self._key = seed.to_bytes(16, "big")

    def __getitem__(self, index: int) -> int:
        """The image of `index`. Raises IndexError outside 0 .. size - 1."""
        if not 0 <= index < self.size:
            raise IndexError(f"{index} is not below {self.size}")
        image = self._mix(index)
        while image >= self.size:
            image = self._mix(image)
        return image

    def _mix(self, index: int) -> int:
        left, right = divmod(index, self._right)
        for number in range(ROUNDS):
            left = (left + self._hash(2 * number, right)) % self._left
            right = (right + self._hash(2 * number + 1, left)) % self._right
        return left * self._right + right

    def _hash(self, number: int, half: int) -> int:
        text = self._key + number.to_bytes(2, "big") + half.to_bytes(self._bytes, "big")
        return int.from_bytes(hashlib.shake_128(text).digest(self._bytes), "big")
