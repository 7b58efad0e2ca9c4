"""NAScope's engine: neural architecture search as a plain PyTorch library, usable alone from Python and the command line."""

__version__ = "0.1.0"
