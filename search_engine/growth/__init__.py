"""Graphs that grow: genes with innovation numbers, mutations, ranking, and the evaluation of a whole population at once.

Shared by the algorithms whose genome is a graph of neurons (WANN) or of modules (NEAT's descendants).

- `genes`, `innovation`, `operators`: the genome, its historical markings, the mutations.
- `canonical`: the normal form of a neuron graph, exact.
- `ranking`: non-dominated sorting with crowding distance.
- `phenotype`, `concatenated`, `padded`, `evaluation`: population x shared weights in one go; `reference` is the plain loop.
- `features`: what a neuron graph sees of an example.
- `population_block`: a generation as a small record from which every individual can be rebuilt.
- `four_numbers`: the finale of a weight-agnostic network.
"""
