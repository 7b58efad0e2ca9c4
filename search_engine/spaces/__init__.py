BUILT_IN = (
    "cell", "nb201", "macro", "mlp", "sequence", "modular",
    "node_chain", "two_convolutions", "domain_paths", "neuron_graph", "ensemble", "block_network", "plain_network", "primitives_sum",
    "basis_expansion", "autoencoder", "active_set", "blueprint", "hierarchical", "resized", "growing_convnet",
    "series_cell", "series_macro", "tabular_cell",
)
"""Modules of this room; each has one ENTRY (or a tuple of entries)."""
