"""Where the weights of a family's edges live (constraint sets) and what moves them (structure distributions).

The parameters of a structure belong to these objects and never to a network: a weight optimiser cannot see them, and a checkpoint
keeps them under their own name. Importing this room imports no torch.
"""

from .constraints import CONSTRAINTS, ConstraintSet, constraint
from .distribution import StructureDistribution
from .softmax import SoftmaxStructure

__all__ = ["CONSTRAINTS", "ConstraintSet", "SoftmaxStructure", "StructureDistribution", "constraint"]
