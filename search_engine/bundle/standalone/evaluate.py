"""Score the model on its test split and print the accuracy.

    python evaluate.py                  if test.npz holds the examples themselves
    python evaluate.py --data FOLDER    if it holds only their indices: FOLDER has the data set's own files

The examples are compared with the checksum that was recorded with the model, the weights with their own.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from model import load_model
from preprocess import SETTINGS, normalise


def checksum(inputs: np.ndarray, labels: np.ndarray) -> str:
    """SHA-256 of the examples: type, shape and bytes of the inputs, then the labels as little-endian 64-bit integers."""
    digest = hashlib.sha256(f"{inputs.dtype.str}{inputs.shape}".encode())
    digest.update(np.ascontiguousarray(inputs).tobytes())
    digest.update(np.ascontiguousarray(labels, dtype="<i8").tobytes())
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

    inputs, labels = read_test(folder)
    # A model of some of the classes numbers them anew, each old number becoming one new one.
    pairs = set(zip(labels[arrays["indices"]].tolist(), arrays["labels"].tolist(), strict=True))
    if not len(pairs) == len({old for old, _ in pairs}) == len({new for _, new in pairs}):
        sys.exit("these are not the examples that the model was tested on")
    return inputs[arrays["indices"]], arrays["labels"]


def main() -> None:
    parser = argparse.ArgumentParser(description="Score the model on its test split.")
    parser.add_argument("--data", type=Path, help="folder of the data set's own files")
    folder = parser.parse_args().data
    manifest = json.loads((HERE / "manifest.json").read_text(encoding="utf-8"))
    recorded = manifest["evaluation"]

    weights = hashlib.sha256((HERE / "model.safetensors").read_bytes()).hexdigest()
    if weights != manifest["files"]["model.safetensors"]["sha256"]:
        sys.exit("model.safetensors is not the file that was recorded with this model")
    inputs, labels = read_test_split(folder)
    if checksum(inputs, labels) != recorded["checksum"]:
        sys.exit("these are not the examples that the model was tested on")

    # One thread and the recorded batch size: then the arithmetic is the one that gave the recorded score.
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    model = load_model()
    correct, loss, batch = 0, 0.0, SETTINGS["batch_size"]
    with torch.no_grad():
        for first in range(0, len(labels), batch):
            logits = model(normalise(inputs[first : first + batch])).float()
            truth = torch.from_numpy(labels[first : first + batch]).to(torch.int64)
            correct += int((logits.argmax(1) == truth).sum())
            loss += float(F.cross_entropy(logits, truth, reduction="sum"))
    print(f"examples: {len(labels)}")
    print(f"loss: {loss / len(labels)}")
    print(f"accuracy: {correct / len(labels)}")
    if correct / len(labels) != recorded["accuracy"]:
        print(f"(recorded: {recorded['accuracy']}; another processor or version of torch can move a close decision)")


if __name__ == "__main__":
    main()
