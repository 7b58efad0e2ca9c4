"""Sets of active units (features, neurons, weights) that grow and shrink: the rule, what a set is worth, how stable it is, its pictures."""
