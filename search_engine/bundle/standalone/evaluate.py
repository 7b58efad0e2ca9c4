"""Score the model on its test split and print the score: accuracy, or r2 where it gives numbers or rebuilds its inputs.

    python evaluate.py                  if test.npz holds the examples themselves
    python evaluate.py --data FOLDER    if it holds only their indices: FOLDER has the data set's own files

The examples are compared with the checksum that was recorded with the model, the weights with their own.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from model import load_model
from preprocess import SETTINGS, normalise
from recorded import checked_manifest


def checksum(inputs: np.ndarray, labels: np.ndarray) -> str:
    """SHA-256 of the examples: type, shape and bytes of the inputs, then the labels as little-endian 64-bit integers (real targets:
    32-bit floats)."""
    digest = hashlib.sha256(f"{inputs.dtype.str}{inputs.shape}".encode())
    digest.update(np.ascontiguousarray(inputs).tobytes())
    digest.update(np.ascontiguousarray(labels, dtype="<f4" if labels.dtype.kind == "f" else "<i8").tobytes())
    return digest.hexdigest()


def read_test_split(folder: Path | None) -> tuple[np.ndarray, np.ndarray]:
    """Raw inputs and labels of the test split."""
    with np.load(HERE / "test.npz", allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    if "inputs" in arrays:
        return arrays["inputs"], arrays["labels"]
    if folder is None:
        sys.exit("this bundle holds only the indices of its test split: give --data FOLDER, where the data set's own files lie")
    from read_data import read_test

    try:
        inputs, labels = read_test(folder)
    except (OSError, ValueError) as error:
        sys.exit(f"the data set's files cannot be read: {error}")
    # A model of some of the classes numbers them anew, each old number becoming one new one.
    pairs = set(zip(labels[arrays["indices"]].tolist(), arrays["labels"].tolist(), strict=True))
    if not len(pairs) == len({old for old, _ in pairs}) == len({new for _, new in pairs}):
        sys.exit("these are not the examples that the model was tested on")
    return inputs[arrays["indices"]], arrays["labels"]


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


def main() -> None:
    parser = argparse.ArgumentParser(description="Score the model on its test split.")
    parser.add_argument("--data", type=Path, help="folder of the data set's own files")
    folder = parser.parse_args().data
    recorded = checked_manifest()["evaluation"]
    inputs, labels = read_test_split(folder)
    if checksum(inputs, labels) != recorded["checksum"]:
        sys.exit("these are not the examples that the model was tested on")

    # One thread and the recorded batch size: then the arithmetic is the one that gave the recorded score.
    torch.set_num_threads(1)
    # The same as torch.use_deterministic_algorithms(True), which first loads torch's compiler: longer than the evaluation itself.
    torch.set_deterministic_debug_mode("error")
    model = load_model()
    tally, batch = Tally(SETTINGS["task"]), SETTINGS["batch_size"]
    with torch.no_grad():
        for first in range(0, len(labels), batch):
            batch_inputs = normalise(inputs[first : first + batch])
            if SETTINGS["task"] == "reconstruction":
                truth = batch_inputs
            else:
                truth = torch.from_numpy(labels[first : first + batch])
                truth = truth.to(torch.int64 if SETTINGS["task"] == "classification" else torch.float32)
            tally.add(model(batch_inputs).float(), truth)
    name = recorded["score"]
    print(f"examples: {len(labels)}")
    print(f"loss: {tally.loss / len(labels)}")
    print(f"{name}: {tally.score()}")
    if tally.score() != recorded[name]:
        print(f"(recorded: {recorded[name]}; another processor or version of torch can move a last digit or a close decision)")


if __name__ == "__main__":
    main()
