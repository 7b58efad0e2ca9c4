"""Motifs of motifs (Liu et al. 2018): the entries that a genome fills (`hierarchy`), one step from a genome to its neighbour (`steps`), and
the one graph that a genome stands for (`flattening`)."""
