"""Genes of graphs that grow, whatever their nodes are: historical markings, the graph itself, its structural mutations.

- `innovations`: equal inventions get equal numbers (Stanley & Miikkulainen 2002). Neuron graphs use it, too (`neuron_genes`).
- `graph`: a graph between one input and one output, whose nodes carry alleles of any kind.
- `growing`: the mutations that change which nodes and edges there are.
"""
