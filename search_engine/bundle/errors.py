"""Why a bundle cannot be offered."""

from __future__ import annotations


class BundleError(Exception):
    """The network cannot be written down, or what was written does not give the recorded score. The message says which."""
