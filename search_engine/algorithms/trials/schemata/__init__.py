"""Schemata of a population as it evolves: how many individuals match each, and what the schema theorem says of the next generation.

- `schema`: a partial assignment of alleles to loci.
- `selecting`: with which probability a place of the population is the parent, by the selection that a search really has.
- `surviving`: with which probability a parent's child still matches, by the operators that it really has.
- `choosing`: which schemata are followed.
- `redraws`: the next generation drawn over and over, beside one that is blind to fitness.
- `watch`: the account of a generation, and what is said of it.
- `decisions`: children in spaces that are lists of decisions.
- `steady`: the account of a search that has one child after another.

The theorem (Holland 1975; as a slide has it: N(h, t+1) >= N(h, t) Q(h, t) / E Q(h, t) (1 - p)) bounds the *expectation* of the next count
under selection in proportion to fitness. Here it stands in the form that holds for any selection:

    E N(h, t+1) >= N(h, t) - R(h) + births S(h) (1 - p)

S(h) is the probability that the selection takes a parent that matches h, p that the operators take h from its child, R(h) how many
that match are removed. In one draw the count is often below its bound; the mean over redraws is not.
"""
