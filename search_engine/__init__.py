"""NAScope's engine: neural architecture search as a plain PyTorch library, usable alone from Python and the command line."""

from .base.release import __version__

__all__ = ["__version__"]
