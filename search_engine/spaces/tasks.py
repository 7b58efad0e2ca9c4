"""What a network is asked for, and which figure says how well it does it.

| task | targets | loss | score (higher is better) |
| --- | --- | --- | --- |
| classification | class numbers | cross-entropy, nats | accuracy: share of correct classes |
| regression | real vectors | squared error, mean over examples and outputs | r2: share of the targets' variance that is explained |
| reconstruction | the network's own inputs | squared error, mean over examples and values | r2, of the inputs |
"""

from __future__ import annotations

from typing import Literal

TaskName = Literal["classification", "regression", "reconstruction"]

SCORES: dict[TaskName, str] = {"classification": "accuracy", "regression": "r2", "reconstruction": "r2"}
"""The score of each task, without the split's prefix (`val_accuracy`, `test_r2`)."""
