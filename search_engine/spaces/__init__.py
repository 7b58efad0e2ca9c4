BUILT_IN = ("cell", "nb201", "macro", "mlp", "sequence", "modular", "neuron_graph")
"""Modules of this room; each has one ENTRY (or a tuple of entries)."""
