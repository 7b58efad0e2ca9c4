"""What trains does not carry torch's compiler along, and computes the same without it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE

COMPILER = ("torch._dynamo", "torch._inductor", "torch._functorch.aot_autograd")
HEAVY = (*COMPILER, "sympy", "onnx", "onnxscript", "onnxruntime", "optuna", "scipy", "matplotlib", "pandas")

SEARCHES = """
import sys, tempfile
from pathlib import Path
from search_engine.training import device
device.configure(1)
from search_engine.catalogue.config import check
from search_engine.search.local_run import Interrupted, LocalRun
from tests.golden.searches import quick
left = []
for name in {names}:
    values, folder = quick(name), Path(tempfile.mkdtemp(dir=sys.argv[1]))
    values["finale"] = {{**values["finale"], "export": False}}
    run = LocalRun(check(values, folder), folder, folder)
    try:
        assert run.run(stop=lambda: bool(run.queue) and run.queue[0].source.startswith("final"))["status"] == "completed"
    except Interrupted:
        left.append((name, values, folder))
    heavy = [item for item in {heavy} if item in sys.modules]
    assert not heavy, (name, heavy)
for name, values, folder in left:
    assert LocalRun(check(values, folder), folder, folder, resume=True).run()["status"] == "completed"
    heavy = [item for item in {heavy} if item in sys.modules and item not in {beside}]
    assert not heavy, (name, "in the finale", heavy)
print(len(left))
"""
BESIDE = ("scipy", "pandas")
"""What the finale's simple models, which are scikit-learn's, bring: after the search, and into its process alone."""

STEPS = """
import sys
import torch
from torch import nn
from search_engine.training.flops import FlopCounter
if sys.argv[1] == "without":
    from search_engine.training import without_compiler
    without_compiler.leave_out()
torch.set_num_threads(1)
torch.manual_seed(3)
network = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3))
inputs = torch.randn(4, 5)
made = {
    "sgd": lambda: torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "adam": lambda: torch.optim.Adam(network.parameters(), lr=0.01, weight_decay=0.01, amsgrad=True),
    "adagrad": lambda: torch.optim.Adagrad(network.parameters(), lr=0.1),
}
for name, make in made.items():
    optimizer = make()
    for _ in range(3):
        optimizer.zero_grad()
        network(inputs).square().sum().backward()
        loss = optimizer.step(lambda: network(inputs).sum())
        state = optimizer.state_dict()
        optimizer.load_state_dict(state)
    kept = [value for group in state["state"].values() for value in group.values() if isinstance(value, torch.Tensor)]
    bits = [value.detach().float().numpy().tobytes().hex() for value in [*network.parameters(), *kept, loss]]
    print(name, loss.requires_grad, *bits)
with FlopCounter() as counter:
    network(inputs).sum().backward()
print(counter.total)
print(sorted(item for item in ("torch._dynamo", "torch._inductor") if item in sys.modules), file=sys.stderr)
"""


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=root, capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    return done


def test_optimisers_and_the_flop_counter_compute_the_same_bits_without_it() -> None:
    with_it, without = run(STEPS, "with"), run(STEPS, "without")
    assert without.stdout == with_it.stdout
    assert len(without.stdout.splitlines()) == 4
    assert with_it.stderr.endswith("['torch._dynamo', 'torch._inductor']\n") and without.stderr.endswith("[]\n")


def test_trained_trials_and_a_super_network_import_nothing_heavy(tmp_path: Path) -> None:
    done = run(SEARCHES.format(names=("random", "wann", "darts"), heavy=HEAVY, beside=BESIDE), str(tmp_path))
    assert done.stdout.split()[-1] == "3"


def test_looking_for_equal_shapes_imports_nothing_heavy(tmp_path: Path) -> None:
    """Also where there are layers that torch takes apart on a device without memory: batch normalisation, poolings."""
    program = """
import sys
from pathlib import Path
from search_engine.catalogue.config import check
from search_engine.search.coordinator import Coordinator
for space in ("mlp", "cell", "node_chain"):
    values = {"algorithm": "random", "options": {"window": 8}, "space": space, "datasets": ["digits"], "budget": {"trials": 8}}
    values["together"] = 8
    folder = Path(sys.argv[1])
    assert Coordinator(check(values), folder, folder).advance(seconds=60).opened
heavy = [item for item in sys.argv[2:] if item in sys.modules]
assert not heavy, heavy
"""
    run(program, str(tmp_path), *HEAVY)


@pytest.mark.slow
def test_no_search_imports_the_compiler(tmp_path: Path) -> None:
    """Every algorithm, up to its finished network. What it needs for itself (Optuna, SciPy) it may import."""
    from search_engine.catalogue import registry

    run(SEARCHES.format(names=tuple(sorted(registry.algorithms())), heavy=COMPILER, beside=()), str(tmp_path))
