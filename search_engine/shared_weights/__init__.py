"""Searching a super-network one path at a time: training on shared weights, judging paths by them, comparing with chance."""
