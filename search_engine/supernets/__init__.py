"""Families as torch modules: one class is the super-network (weighted operations) and the network derived from it.

`mixing` is the seam behind which the weighted sum of a cell's operations is computed, `grouped` the fast form of it; `cell_network` and
`nb201_network` are the macro skeletons around it.
"""
