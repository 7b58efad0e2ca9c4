"""Where the weights of a family's edges live (constraint sets) and what moves them (structure distributions).

The parameters of a structure belong to these objects and never to a network: a weight optimiser cannot see them, and a checkpoint
keeps them under their own name. Importing this room imports no torch.
"""

from .constraints import CONSTRAINTS, ConstraintSet, constraint
from .distribution import StructureDistribution
from .gumbel import GumbelSoftmaxStructure, HardGumbelStructure
from .softmax import SoftmaxStructure
from .temperature import TemperatureSchedule

__all__ = [
    "CONSTRAINTS",
    "ConstraintSet",
    "GumbelSoftmaxStructure",
    "HardGumbelStructure",
    "SoftmaxStructure",
    "StructureDistribution",
    "TemperatureSchedule",
    "constraint",
]
