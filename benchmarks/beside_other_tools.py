"""What a person would pick instead of a search of architectures, on the same splits, for the same computing time.

    NASCOPE_DATA=... python -m benchmarks.beside_other_tools [--seconds 30] [--seeds 3] [--only letter ...] [--record FILE]
    python -m benchmarks.beside_other_tools --read FILE        the table of docs/beside-other-tools.md

Tables: HistGradientBoosting, logistic regression and MLPClassifier of scikit-learn. Series: random convolution features with a ridge
classifier (A. Dempster et al., "ROCKET", Data Mining and Knowledge Discovery 2020). 10,000 images of Fashion-MNIST: a convolutional network
as one writes it by hand. NAScope searches for so many seconds with what its form has as defaults, finishes the best one and tests it once.
How many CPU seconds that took, all of it, is what each of the others gets: it is fitted with its own defaults first and then with settings
drawn at random around them, chosen on a fifth of the training part, fitted anew on all of it, and tested once. (NAScope keeps a part of
the training part for validation for good: that is a disadvantage of it that is not corrected here.) One thread each; CPU seconds rather
than the clock's, so that other work beside it changes little. Prints accuracy on the test part, mean and standard deviation over seeds, and
asserts nothing.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

Arrays = tuple[Any, Any, Any, Any]
"""Training inputs and labels, test inputs and labels."""
TABLES, SERIES, IMAGES = ("letter", "spam"), ("ItalyPowerDemand", "BasicMotions", "JapaneseVowels"), ("fashion_mnist",)
SPACES = {**dict.fromkeys(TABLES, "mlp"), **dict.fromkeys(SERIES, "macro_1d"), **dict.fromkeys(IMAGES, "plain")}
KERNELS = 2000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0, help="of NAScope's search, its finale aside")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="+", default=[*TABLES, *SERIES, *IMAGES], choices=[*TABLES, *SERIES, *IMAGES])
    parser.add_argument("--record", type=Path, help="keep every figure as JSON")
    parser.add_argument("--read", type=Path, help="what was kept, as a table; nothing is run")
    asked = parser.parse_args()
    if asked.read:
        print(table(json.loads(asked.read.read_text())["rows"]))
        return
    os.environ["OMP_NUM_THREADS"] = "1"
    warnings.filterwarnings("ignore")
    rows: list[dict[str, Any]] = []
    for name in asked.only:
        for seed in range(asked.seeds):
            data = arrays(name, Path(os.environ["NASCOPE_DATA"]), seed)
            searched = nascope(name, data, seed, asked.seconds)
            own = {"data": name, "seed": seed, "seconds": asked.seconds}
            rows.append({**own, **searched})
            for tool, tried in others(name).items():
                rows.append({**own, "tool": tool, **fitted(tried, data, seed, searched["cpu"])})
        show([row for row in rows if row["data"] == name])
        if asked.record:
            asked.record.write_text(json.dumps({"rows": rows}, indent=1) + "\n")


def show(rows: list[dict[str, Any]]) -> None:
    for tool in dict.fromkeys(row["tool"] for row in rows):
        own = [row for row in rows if row["tool"] == tool]
        values = [100 * row["accuracy"] for row in own]
        spread = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
        cpu, tried = statistics.fmean(row["cpu"] for row in own), statistics.fmean(row["tried"] for row in own)
        print(f"{own[0]['data']:18} {tool:28} {statistics.fmean(values):5.1f}{spread} %   {cpu:5.0f} CPU s, {tried:.0f} tried", flush=True)


def table(rows: list[dict[str, Any]]) -> str:
    """Of each data set and tool the accuracy on the test part, mean ± standard deviation over the seeds, CPU seconds, and how many were
    tried, in Markdown; the best of a data set in bold, with what lies within its standard deviation."""
    lines = ["| data | tool | test accuracy, % | CPU s | tried |", "| --- | --- | --- | --- | --- |"]
    for name in dict.fromkeys(row["data"] for row in rows):
        of_tool = {tool: [row for row in rows if (row["data"], row["tool"]) == (name, tool)]
                   for tool in dict.fromkeys(row["tool"] for row in rows if row["data"] == name)}  # fmt: skip
        values = {tool: [100 * row["accuracy"] for row in own] for tool, own in of_tool.items()}
        best = max(values.values(), key=statistics.fmean)
        least = statistics.fmean(best) - statistics.stdev(best)
        for tool, own in of_tool.items():
            mean = statistics.fmean(values[tool])
            text = f"{mean:.1f} ± {statistics.stdev(values[tool]):.1f}"
            text = f"**{text}**" if mean >= least else text
            cpu, tried = statistics.fmean(row["cpu"] for row in own), statistics.fmean(row["tried"] for row in own)
            lines.append(f"| {name} | {tool} | {text} | {cpu:.0f} | {tried:.0f} |")
    return "\n".join(lines)


# ---------------------------------------------------------------- data


def arrays(name: str, folder: Path, seed: int) -> Arrays:
    """Official splits where there are; otherwise a quarter is the test part, by the seed. Images: 10,000 of the training part."""
    if name in SERIES:
        held = np.load(folder / "timeseries" / f"{name}.npz", allow_pickle=False)
        return held["x_train"], held["y_train"].astype(str), held["x_test"], held["y_test"].astype(str)
    if name in IMAGES:
        train, labels = (_idx(folder / name / f"train-{kind}-ubyte.gz") for kind in ("images-idx3", "labels-idx1"))
        test, of_test = (_idx(folder / name / f"t10k-{kind}-ubyte.gz") for kind in ("images-idx3", "labels-idx1"))
        chosen = np.random.default_rng(seed).permutation(len(train))[:10_000]
        return train[chosen][:, None], labels[chosen].astype(str), test[:, None], of_test.astype(str)
    with gzip.open(folder / "tabular" / f"{name}.csv.gz", "rt", newline="") as file:
        lines = list(csv.reader(file))[1:]
    inputs = np.array([[float(cell) for cell in line[:-1]] for line in lines], dtype=np.float32)
    answers = np.array([line[-1] for line in lines])
    order = np.random.default_rng(seed).permutation(len(inputs))
    test, train = order[: len(order) // 4], order[len(order) // 4 :]
    return inputs[train], answers[train], inputs[test], answers[test]


def _idx(path: Path) -> Any:
    data = gzip.decompress(path.read_bytes())
    sides = tuple(int.from_bytes(data[4 + 4 * place : 8 + 4 * place], "big") for place in range(data[3]))
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(sides)


# ---------------------------------------------------------------- NAScope

SEARCH = """
import sys, json, resource, numpy, nascope
held = numpy.load(sys.argv[1])
run = nascope.search(
    {"train": (held["x"], held["y"]), "test": (held["tx"], held["ty"])}, "regularized_evolution", space=sys.argv[2],
    seconds=float(sys.argv[3]), seed=int(sys.argv[4]), out=sys.argv[5], quiet=True,
    finale={"baselines": 0, "onnx": False, "redundancy": False},
)
used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
print(json.dumps({"metrics": run.metrics, "status": run.status, "reason": run.reason, "tried": run.result["tried"]["architectures"],
                  "cpu": sum(item.ru_utime + item.ru_stime for item in used), "best": run.best.string}))
"""


def nascope(name: str, data: Arrays, seed: int, seconds: float) -> dict[str, Any]:
    """A search in a process of its own, with its imports: as a script has it."""
    with tempfile.TemporaryDirectory() as folder:
        held = Path(folder) / "data.npz"
        np.savez(held, x=data[0], y=data[1], tx=data[2], ty=data[3])
        done = subprocess.run(
            [sys.executable, "-c", SEARCH, str(held), SPACES[name], str(seconds), str(seed), str(Path(folder) / "run")],
            env={**os.environ, "NASCOPE_OWN": str(Path(folder) / "own")}, capture_output=True, text=True, check=False,
        )
        if done.returncode:
            sys.exit(f"{name}, seed {seed}: {done.stderr[-2000:]}")
        said = json.loads(done.stdout.splitlines()[-1])
    if said["status"] != "completed":
        sys.exit(f"{name}, seed {seed}: {said['reason']}")
    return {
        "tool": f"NAScope, {SPACES[name]}", "accuracy": said["metrics"]["test_accuracy"], "cpu": said["cpu"], "tried": said["tried"],
        "chosen": said["best"],
    }


# ---------------------------------------------------------------- the others

Fit = Callable[[Any, Any, int], Callable[[Any], Any]]
"""(inputs, labels, seed) -> what predicts labels."""
Settings = Callable[[np.random.Generator | None], dict[str, Any]]
"""Drawn at random; without a generator the tool's own defaults."""
Tool = tuple[Callable[..., Fit], Settings]


def fitted(tool: Tool, data: Arrays, seed: int, cpu: float) -> dict[str, Any]:
    """The tool after so many CPU seconds: its defaults and what was drawn, the best of them on a fifth of the training part. The last fit,
    on all of it, may exceed them."""
    build, settings = tool
    inputs, labels, test, answers = data
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(inputs))
    held, used = order[: len(order) // 5], order[len(order) // 5 :]
    started, longest = time.process_time(), 0.0
    best: tuple[float, dict[str, Any]] | None = None
    tried = 0
    for chosen in _settings(settings, rng):
        before = time.process_time()
        # Room for the fit on the whole training part, which takes about as long as the longest so far.
        if best is not None and before - started + 2.3 * longest > cpu:
            break
        predict = build(**chosen)(inputs[used], labels[used], seed)
        value = float((predict(inputs[held]) == labels[held]).mean())
        longest = max(longest, time.process_time() - before)
        tried += 1
        if best is None or value > best[0]:
            best = (value, chosen)
    assert best is not None
    predict = build(**best[1])(inputs, labels, seed)
    accuracy = float((predict(test) == answers).mean())
    return {"accuracy": accuracy, "cpu": time.process_time() - started, "tried": tried, "chosen": json.dumps(best[1], default=float)}


def _settings(draw: Settings, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield draw(None)
    while True:
        yield draw(rng)


def others(name: str) -> dict[str, Tool]:
    if name in TABLES:
        return {
            "HistGradientBoosting": (_boosting, _boosting_settings), "logistic regression": (_logistic, _logistic_settings),
            "MLPClassifier": (_perceptron, _perceptron_settings),
        }  # fmt: skip
    if name in SERIES:
        return {"random convolutions, ridge": (_rocket, _rocket_settings)}
    return {"hand-made CNN": (_by_hand, _by_hand_settings)}


def _of_sklearn(make: Callable[[int], Any]) -> Fit:
    def fit(inputs: Any, labels: Any, seed: int) -> Callable[[Any], Any]:
        return make(seed).fit(inputs, labels).predict  # type: ignore[no-any-return]

    return fit


def _boosting(**settings: Any) -> Fit:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return _of_sklearn(lambda seed: HistGradientBoostingClassifier(random_state=seed, **settings))


def _boosting_settings(rng: np.random.Generator | None) -> dict[str, Any]:
    if rng is None:
        return {}
    return {
        "learning_rate": 10 ** rng.uniform(-1.7, -0.3), "max_iter": int(rng.integers(50, 400)), "max_leaf_nodes": int(rng.integers(8, 64)),
        "l2_regularization": 10 ** rng.uniform(-4, 1), "min_samples_leaf": int(rng.integers(5, 50)),
    }  # fmt: skip


def _logistic(**settings: Any) -> Fit:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return _of_sklearn(lambda seed: make_pipeline(StandardScaler(), LogisticRegression(max_iter=500, **settings)))


def _logistic_settings(rng: np.random.Generator | None) -> dict[str, Any]:
    return {} if rng is None else {"C": 10 ** rng.uniform(-3, 3)}


def _perceptron(**settings: Any) -> Fit:
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return _of_sklearn(lambda seed: make_pipeline(StandardScaler(), MLPClassifier(random_state=seed, **settings)))


def _perceptron_settings(rng: np.random.Generator | None) -> dict[str, Any]:
    if rng is None:
        return {}
    width, depth = int(2 ** rng.uniform(5, 8)), int(rng.integers(1, 4))
    return {
        "hidden_layer_sizes": (width,) * depth, "alpha": 10 ** rng.uniform(-6, -1), "learning_rate_init": 10 ** rng.uniform(-3.5, -2),
        "max_iter": int(rng.integers(30, 200)),
    }  # fmt: skip


def _rocket(**settings: Any) -> Fit:
    from sklearn.linear_model import RidgeClassifierCV

    kernels = settings["kernels"]

    def fit(inputs: Any, labels: Any, seed: int) -> Callable[[Any], Any]:
        features = _random_convolutions(inputs.shape, kernels, seed)
        known = features(inputs)
        mean, scale = known.mean(0), known.std(0) + 1e-8
        ridge = RidgeClassifierCV(alphas=np.logspace(-3, 3, 10)).fit((known - mean) / scale, labels)
        return lambda given: ridge.predict((features(given) - mean) / scale)

    return fit


def _rocket_settings(rng: np.random.Generator | None) -> dict[str, Any]:
    return {"kernels": KERNELS if rng is None else int(KERNELS * 2 ** rng.uniform(-1, 2))}


def _random_convolutions(shape: tuple[int, ...], kernels: int, seed: int) -> Callable[[Any], Any]:
    """Two figures of every random kernel: its largest answer, and the share of answers above 0. Lengths 7, 9, 11, weights normal with their
    mean taken off, bias uniform, dilations exponential, padding by chance; a kernel sees a random set of channels."""
    import torch

    rng = np.random.default_rng(seed)
    _, channels, moments = shape
    drawn = []
    for _ in range(kernels):
        length = int(rng.choice([7, 9, 11]))
        dilation = int(2 ** rng.uniform(0, max(0.0, np.log2(max(1, (moments - 1) // (length - 1))))))
        seen = rng.permutation(channels)[: int(2 ** rng.uniform(0, np.log2(min(channels, length) + 1)))]
        weights = rng.normal(size=(len(seen), length))
        weights -= weights.mean(axis=1, keepdims=True)
        padding = (length - 1) * dilation // 2 if rng.random() < 0.5 or (length - 1) * dilation >= moments else 0
        drawn.append((seen, torch.tensor(weights[None], dtype=torch.float32), float(rng.uniform(-1, 1)), dilation, padding))

    def features(inputs: Any) -> Any:
        inputs = (inputs - inputs.mean(2, keepdims=True)) / (inputs.std(2, keepdims=True) + 1e-8)
        given = torch.from_numpy(inputs.astype(np.float32))
        columns = []
        with torch.no_grad():
            for seen, weights, bias, dilation, padding in drawn:
                answers = torch.conv1d(given[:, seen], weights, dilation=dilation, padding=padding)[:, 0] + bias
                columns += [answers.amax(1), (answers > 0).float().mean(1)]
        return torch.stack(columns, 1).numpy()

    return features


def _by_hand(**settings: Any) -> Fit:
    def fit(inputs: Any, labels: Any, seed: int) -> Callable[[Any], Any]:
        import torch
        from torch import nn

        torch.manual_seed(seed)
        names, targets = np.unique(labels, return_inverse=True)
        width = settings["width"]
        network = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(width, 2 * width, 3, padding=1), nn.BatchNorm2d(2 * width), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Linear(2 * width * 49, 128), nn.ReLU(), nn.Dropout(settings["dropout"]), nn.Linear(128, len(names)),
        )  # fmt: skip
        given, wanted = torch.from_numpy(inputs.astype(np.float32) / 255 - 0.5), torch.from_numpy(targets)
        optimizer = torch.optim.Adam(network.parameters(), lr=settings["rate"])
        for _ in range(settings["epochs"]):
            network.train()
            for batch in torch.randperm(len(given)).split(64):
                optimizer.zero_grad()
                nn.functional.cross_entropy(network(given[batch]), wanted[batch]).backward()
                optimizer.step()
        network.eval()

        def predict(of: Any) -> Any:
            with torch.no_grad():
                parts = torch.from_numpy(of.astype(np.float32) / 255 - 0.5).split(500)
                return names[torch.cat([network(part).argmax(1) for part in parts]).numpy()]

        return predict

    return fit


def _by_hand_settings(rng: np.random.Generator | None) -> dict[str, Any]:
    if rng is None:
        return {"width": 16, "rate": 1e-3, "epochs": 5, "dropout": 0.25}
    return {
        "width": int(rng.choice([8, 16, 32])), "rate": 10 ** rng.uniform(-3.5, -2), "epochs": int(rng.integers(2, 12)),
        "dropout": float(rng.uniform(0, 0.5)),
    }  # fmt: skip


if __name__ == "__main__":
    main()
