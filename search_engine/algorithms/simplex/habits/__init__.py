"""Habits: rules that watch a search on the simplex and belong to no single method, written once.

Each looks at the structure after an epoch and may say a `Notice`, hold the structure still, or ask for the end of the search. Each is
switched by its own options (`SimplexHabitsConfig`) and keeps its own state, so an algorithm only carries a `Habits`.
"""

from .base import EpochView, Firing, Habit
from .collection import Habits, SimplexHabitsConfig
from .eigenvalue import EigenvalueStop
from .skip_counter import SkipCounter
from .stable_ranking import StableRanking
from .warm_up import WarmUp

__all__ = ["EigenvalueStop", "EpochView", "Firing", "Habit", "Habits", "SimplexHabitsConfig", "SkipCounter", "StableRanking", "WarmUp"]
