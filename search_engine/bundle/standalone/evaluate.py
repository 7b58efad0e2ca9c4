"""Score the model on its test split and print the score, accuracy, or r2 where it gives numbers or rebuilds its inputs, and then the other
metrics of its task, of numbers in the target's own units.

    python evaluate.py                          if test.npz holds the examples themselves
    python evaluate.py --data FOLDER            if it holds only their indices: FOLDER has the data set's own files
    python evaluate.py --program                score model.pt2 (torch.export) instead of model.py
    python evaluate.py --examples FILE.npz      other examples: the arrays `inputs` (raw) and `labels`

The examples are compared with the checksum that was recorded with the model, the weights with their own.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from metrics import measure
from model import load_model
from preprocess import CLASS_NAMES, SETTINGS, in_own_units, normalise
from recorded import checked_manifest
from test_split import read_examples, read_test_split


class Tally:
    """Sums over examples: the loss (cross-entropy, or squared error) and what the score needs."""

    def __init__(self, task: str) -> None:
        self.task, self.examples, self.loss, self.correct, self.values = task, 0, 0.0, 0, 1
        self.sums: torch.Tensor | None = None

    def add(self, outputs: torch.Tensor, targets: torch.Tensor) -> None:
        self.examples += len(outputs)
        if self.task == "classification":
            self.correct += int((outputs.argmax(1) == targets).sum())
            self.loss += float(F.cross_entropy(outputs, targets, reduction="sum"))
            return
        flat = targets.flatten(1).double()
        self.values = flat.shape[1]
        self.loss += float((outputs.flatten(1).double() - flat).square().sum()) / self.values
        own = torch.stack([flat.sum(0), flat.square().sum(0)])
        self.sums = own if self.sums is None else self.sums + own

    def score(self) -> float:
        if self.sums is None:
            return self.correct / self.examples
        spread = float((self.sums[1] - self.sums[0].square() / self.examples).sum())
        return 1 - self.loss * self.values / spread if spread > 0 else 0.0


def answering(program: bool) -> Callable[[np.ndarray], torch.Tensor]:
    """Raw examples -> outputs, by model.py or by model.pt2, which has the preprocessing inside."""
    if program:
        exported = torch.export.load(HERE / "model.pt2").module()
        return lambda raw: exported(torch.from_numpy(raw))
    model = load_model()
    return lambda raw: model(normalise(raw))


def main() -> None:
    parser = argparse.ArgumentParser(description="Score the model on its test split.")
    parser.add_argument("--data", type=Path, help="folder of the data set's own files")
    parser.add_argument("--program", action="store_true", help="score model.pt2 instead of model.py")
    parser.add_argument("--examples", type=Path, help="an .npz file with inputs and labels, instead of the test split")
    given = parser.parse_args()
    recorded = checked_manifest("model.pt2" if given.program else "model.safetensors")["evaluation"]
    inputs, labels = read_examples(given.examples) if given.examples else read_test_split(given.data, recorded["checksum"])

    # One thread and the recorded batch size: then the arithmetic is the one that gave the recorded score.
    torch.set_num_threads(1)
    # The same as torch.use_deterministic_algorithms(True), which first loads torch's compiler: longer than the evaluation itself.
    torch.set_deterministic_debug_mode("error")
    answer, answers = answering(given.program), []
    tally, batch = Tally(SETTINGS["task"]), SETTINGS["batch_size"]
    with torch.no_grad():
        for first in range(0, len(labels), batch):
            raw = inputs[first : first + batch]
            if SETTINGS["task"] == "reconstruction":
                truth = normalise(raw)
            else:
                truth = torch.from_numpy(labels[first : first + batch])
                truth = truth.to(torch.int64 if SETTINGS["task"] == "classification" else torch.float32)
            answers.append(answer(raw).float())
            tally.add(answers[-1], truth)
    name = recorded["score"]
    print(f"examples: {len(labels)}")
    print(f"loss: {tally.loss / len(labels)}")
    print(f"{name}: {tally.score()}")
    if not given.examples and tally.score() != recorded[name]:
        print(f"(recorded: {recorded[name]}; another processor or version of torch can move a last digit or a close decision)")
    outputs = in_own_units(torch.cat(answers).double()).numpy()
    truths = labels if SETTINGS["task"] == "classification" else in_own_units(torch.from_numpy(labels).double()).numpy()
    for other, value in measure(SETTINGS["task"], outputs, truths, CLASS_NAMES).values.items():
        if other != name:
            print(f"{other}: {value}")


if __name__ == "__main__":
    main()
