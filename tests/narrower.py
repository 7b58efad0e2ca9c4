"""Data so wide that a space's defaults give too many weights."""

from __future__ import annotations

from typing import Any

NARROWER: dict[tuple[str, str], dict[str, Any]] = {
    ("plain", "tiny_imagenet"): {"widths": [100, 50]}, ("basis_expansion", "japanese_vowels"): {"max_degree": 2},
}
"""(space, data set) -> options that fit. With the defaults the check names the option, which a test of the web application holds it to."""
