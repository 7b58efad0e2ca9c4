"""The version of NAScope, in every result and download."""

__version__ = "0.1.0"
