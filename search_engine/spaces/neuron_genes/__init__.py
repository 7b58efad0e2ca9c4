"""The gene representation of growing graphs: genes with innovation numbers, mutations, normal form, arrays.

- `genes`, `innovation`, `operators`: the genome, its historical markings, the mutations.
- `canonical`: the normal form of a neuron graph, exact.
- `activations`, `features`: what a neuron computes, and what a graph sees of an example.
- `phenotype`: a population as arrays; `reference` is the plain loop over one graph.
"""
