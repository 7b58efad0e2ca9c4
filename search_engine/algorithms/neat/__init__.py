"""What methods with the genes of NEAT share (Stanley & Miikkulainen 2002, "Evolving Neural Networks through Augmenting Topologies").

- `alignment`: two genomes laid over each other by innovation number: crossover and distance.
- `speciation`: a population divided into species, as many as wanted.
- `offspring`: how many children a species gets, and who their parents are.
- `weights`: how the weights of edges change, where they have any.
- `population`: all of it as one population with numbered individuals.

The genes themselves are `search_engine.spaces.genes`.
"""
