"""Where the weights of a family's edges live (constraint sets) and what moves them (structure distributions).

The parameters of a structure belong to these objects and never to a network: a weight optimiser cannot see them, and a checkpoint
keeps them under their own name. Importing this room imports no torch.
"""

from .bernoulli import HardBernoulliStructure, RelaxedBernoulliStructure
from .constraints import CONSTRAINTS, ConstraintSet, constraint
from .dirichlet import DirichletStructure
from .distribution import StructureDistribution
from .gumbel import GumbelSoftmaxStructure, HardGumbelStructure
from .logit_normal import LogitNormalStructure
from .softmax import SoftmaxStructure
from .temperature import TemperatureSchedule, TemperedStructure

__all__ = [
    "CONSTRAINTS",
    "ConstraintSet",
    "DirichletStructure",
    "GumbelSoftmaxStructure",
    "HardBernoulliStructure",
    "HardGumbelStructure",
    "LogitNormalStructure",
    "RelaxedBernoulliStructure",
    "SoftmaxStructure",
    "StructureDistribution",
    "TemperatureSchedule",
    "TemperedStructure",
    "constraint",
]
