"""Score model.onnx on the test split with onnxruntime and NumPy alone; prints what evaluate.py prints.

    python evaluate_onnx.py                          if test.npz holds the examples themselves
    python evaluate_onnx.py --data FOLDER            if it holds only their indices: FOLDER has the data set's own files
    python evaluate_onnx.py --examples FILE.npz      other examples: the arrays `inputs` (raw) and `labels`
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from columns import decode
from metrics import measure
from recorded import checked_manifest
from test_split import read_examples, read_test_split

SETTINGS = json.loads((HERE / "preprocessing.json").read_text(encoding="utf-8"))


def fed(session: Any, raw: np.ndarray) -> dict[str, np.ndarray]:
    """The inputs of the session: the raw examples, or one input for each column of a table."""
    inputs = session.get_inputs()
    fitted = SETTINGS["transformation"]
    if fitted is None or not fitted["columns"]:
        return {inputs[0].name: raw.astype(np.uint8 if inputs[0].type == "tensor(uint8)" else np.float32)}
    cells = list(zip(*decode(fitted, raw), strict=True))
    return {
        given.name: np.array([[float(cell or "nan")] for cell in column], dtype=np.float32)
        if about["kind"] == "number" else np.array([[cell] for cell in column], dtype=object)
        for given, about, column in zip(inputs, fitted["columns"], cells, strict=True)
    }


def normalised(raw: np.ndarray) -> np.ndarray:
    """What an auto-encoder rebuilds: (raw / scale - mean) / std, per channel."""
    column = (1, -1, *([1] * (raw.ndim - 2)))
    mean, std = (np.array(SETTINGS[name], dtype=np.float32).reshape(column) for name in ("mean", "std"))
    return (raw.astype(np.float32) / np.float32(SETTINGS["scale"]) - mean) / std


def in_own_units(values: np.ndarray) -> np.ndarray:
    """Targets or answers as a table has them: real ones may have been brought to mean 0 and deviation 1."""
    fitted = SETTINGS["transformation"]
    if fitted is None or fitted["target"]["kind"] != "number":
        return values
    return values.astype(np.float64) * fitted["target"]["std"] + fitted["target"]["mean"]


def figures(outputs: np.ndarray, truth: np.ndarray, task: str) -> tuple[float, float]:
    """(loss, score): cross-entropy and accuracy, or mean squared error and r2."""
    exact = outputs.astype(np.float64)
    if task == "classification":
        shifted = exact - exact.max(axis=1, keepdims=True)
        loss = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(truth)), truth]
        return float(loss.mean()), float((outputs.argmax(axis=1) == truth).mean())
    flat = truth.reshape(len(truth), -1).astype(np.float64)
    errors = float(np.square(exact.reshape(len(truth), -1) - flat).sum())
    spread = float(np.square(flat - flat.mean(axis=0)).sum())
    return errors / flat.size, 1 - errors / spread if spread > 0 else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description="Score model.onnx on its test split.")
    parser.add_argument("--data", type=Path, help="folder of the data set's own files")
    parser.add_argument("--examples", type=Path, help="an .npz file with inputs and labels, instead of the test split")
    given = parser.parse_args()
    recorded = checked_manifest("model.onnx")["evaluation"]
    inputs, labels = read_examples(given.examples) if given.examples else read_test_split(given.data, recorded["checksum"])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(HERE / "model.onnx"), options, providers=["CPUExecutionProvider"])
    batch = SETTINGS["batch_size"]
    outputs = np.concatenate([
        session.run(["logits"], fed(session, inputs[first : first + batch]))[0] for first in range(0, len(labels), batch)
    ])
    loss, score = figures(outputs, normalised(inputs) if SETTINGS["task"] == "reconstruction" else labels, SETTINGS["task"])
    print(f"examples: {len(labels)}")
    print(f"loss: {loss}")
    print(f"{recorded['score']}: {score}")
    if not given.examples and score != recorded[recorded["score"]]:
        print(f"(recorded of model.py: {recorded[recorded['score']]}; another runtime can move a last digit or a close decision)")
    measured = measure(SETTINGS["task"], in_own_units(outputs), in_own_units(labels), SETTINGS["class_names"])
    for name, value in measured.values.items():
        if name != recorded["score"]:
            print(f"{name}: {value}")


if __name__ == "__main__":
    main()
