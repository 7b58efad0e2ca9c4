"""Boosting with structure: the objective of an ensemble, complexities of function classes, the weights' proximal steps, controls."""
