"""What is left of a run, in seconds: one model for the page, the list of runs and the command line.

A run is a row of stages: the trials or the step phases of the search, its controls, the entrants of the finale, each with its training,
test, download, the check of it and the study of what can be removed. Of each stage the model knows, in this order: how far it is and what
that took; what such a stage took in earlier runs of this machine (`Profile`), scaled by how fast this run has been so far; or, on a machine
without a history, a rough rule (`RULES`). The less it knows, the wider is the range that it gives.

Seconds of work become seconds of waiting by the share of the workers: they go round among the runs that are not over (webapp.jobs.sharing),
and no run uses more of them at once than it has pieces of work (`waiting`).

Pure arithmetic on what it is given: it reads no clock and no database. `benchmarks.forecasts` measures it on recorded runs.
"""

from __future__ import annotations

from .known import Known, Profile
from .left import after_training, work_left
from .parts import STAGES, Left, Piece, Plan, Situation, TrialPlan
from .waiting import Forecast, forecast, in_words, lefts, share, stages_json, worth_a_range

__all__ = [
    "STAGES", "Forecast", "Known", "Left", "Piece", "Plan", "Profile", "Situation", "TrialPlan", "after_training", "forecast", "in_words",
    "lefts", "share", "stages_json", "work_left", "worth_a_range",
]
