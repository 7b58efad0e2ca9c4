"""The ground that everything stands on: errors, generators, checkpoints, lazy imports, plug-ins, what one training is.

Imports nothing of the other rooms.
"""
