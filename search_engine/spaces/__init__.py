BUILT_IN = ("cell", "nb201", "neuron_graph")
"""Modules of this room; each has one ENTRY (or a tuple of entries)."""
