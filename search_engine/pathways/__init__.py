"""Paths through a super-network of modules, and how a population of them evolves: genotypes, tournaments, training on shared weights,
and the end of a path as a network of its own. What PathNet is made of, one idea per file."""
