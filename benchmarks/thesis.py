"""A ready-made comparison of compressed evolution, run whole from the command line, and what came of it beside what was published.

    python -m benchmarks.thesis CARD FOLDER [--processes 2] [--record MACHINE]

CARD is one of `search_engine/catalogue/thesis.py`: thesis-mnist, thesis-cifar10, thesis-small, ... Each of its runs is one search of the
command line in FOLDER, on one thread, `--processes` at a time, all arms of a seed before the next seed; started again, finished ones are
kept and cut ones go on. Then the means of the pooled last generations and the mean times are printed with paired
intervals, as the page Atlas works them out, beside the published ones. `--record "two cores of ..."` keeps everything in
`search_engine/atlas/runs/CARD.json`, with the machine in words, for that page. Asserts nothing. On a machine with other work the times
say less; FLOPs are exact.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from search_engine.atlas.ours import Observed, compared, last_generation, measured
from search_engine.atlas.recorded import FOLDER, Recorded, RecordedRun
from search_engine.catalogue.thesis import ARMS, CARDS

ROOT = Path(__file__).resolve().parents[1]
PLAIN = ARMS[0]
CONFIG = ("training", "space_options", "dataset_options")
SLICE_SECONDS = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("card", choices=[card["id"] for card in CARDS])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--record", default="", metavar="MACHINE", help="keep what was measured, on this machine in words")
    asked = parser.parse_args()
    body = next(card for card in CARDS if card["id"] == asked.card)["experiment"]
    wanted = [(arm, algorithm, seed) for seed in body["seeds"] for arm, algorithm in zip(ARMS, body["algorithms"], strict=True)]
    with ThreadPoolExecutor(asked.processes) as pool:
        ended = list(pool.map(lambda one: run(asked.folder, body, *one), wanted))
    if any(ended):
        sys.exit("not every search ended well: see the logs in the folder, and start this again")
    kept = read(asked.folder, body, asked.record or "not said")
    show(kept)
    if asked.record:
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / f"{asked.card}.json").write_text(text(kept))


def run(folder: Path, body: dict[str, Any], arm: str, algorithm: dict[str, Any], seed: int) -> int:
    """One search, or the rest of it. The exit status of the command."""
    own = folder / f"{arm}-{seed}"
    if (own / "result.json").is_file():
        return 0
    config = {
        "algorithm": algorithm["id"], "options": algorithm["options"], "seed": seed, "space": body["space"], "datasets": body["datasets"],
        "finale": body["finale"], **{name: body[name] for name in CONFIG},
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{arm}-{seed}.json"
    file.write_text(json.dumps(config, indent=1))
    words = [sys.executable, "-m", "search_engine", "run", str(file), "--out", str(own), "--json", "--slice-seconds", str(SLICE_SECONDS)]
    words += ["--resume"] if (own / "events.jsonl").is_file() else []
    began = time.perf_counter()
    with (folder / f"{arm}-{seed}.log").open("a") as log:
        status = subprocess.run(words, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, stdout=log, stderr=log, check=False).returncode
    print(f"{arm}, seed {seed}: exit {status} after {time.perf_counter() - began:.0f} s", flush=True)
    return status


def read(folder: Path, body: dict[str, Any], machine: str) -> Recorded:
    """What the finished searches in the folder say."""
    arms: dict[str, dict[str, Any]] = {}
    runs, versions, last = [], {}, 0.0
    for seed in body["seeds"]:
        for arm in ARMS:
            own = folder / f"{arm}-{seed}"
            result = json.loads((own / "result.json").read_text())
            last = max(last, (own / "result.json").stat().st_mtime)
            arms[arm] = result["options"]
            versions = result["versions"]
            values, population = _of_events(own / "events.jsonl")
            spent = result["budget"]
            runs.append(
                RecordedRun(
                    arm=arm, seed=seed, seconds=round(spent["seconds"], 2), flops=spent["flops"], values=values, population=population
                )
            )  # fmt: skip
    return Recorded(
        date=time.strftime("%Y-%m-%d", time.gmtime(last)), machine=machine, versions=versions,  # type: ignore[arg-type]
        algorithm=body["algorithms"][0]["id"], space=body["space"], dataset=body["datasets"][0],
        config={name: body[name] for name in CONFIG}, arms=arms, runs=tuple(runs),
    )  # fmt: skip


def _of_events(log: Path) -> tuple[tuple[float | None, ...], str]:
    """(validation accuracy of each trial in the order of birth, None of one that failed; digest of the initial population)."""
    values: dict[int, float | None] = {}
    population = ""
    with log.open() as lines:
        for line in lines:
            event = json.loads(line)
            data = event["data"]
            if event["kind"] == "trial_told":
                values[data["number"]] = data["metrics"].get("val_accuracy") if data["status"] == "completed" else None
            elif event["kind"] == "notice" and data["name"] == "initial_population":
                found = re.search(r"digest ([0-9a-f]+)", data["message"])
                population = found[1] if found else ""
    return tuple(value for _, value in sorted(values.items())), population


def show(kept: Recorded) -> None:
    observed = {arm: [_observed(kept, run) for run in kept.runs if run.arm == arm] for arm in kept.arms}
    print(f"{kept.dataset}, {kept.machine}")
    for arm, own in observed.items():
        accuracy, minutes = measured(own, "last_generation_accuracy"), measured(own, "minutes")
        flops = statistics.fmean(run.flops for run in kept.runs if run.arm == arm)
        print(f"  {arm}: accuracy of the pooled last generations {_words(accuracy)} %, {_words(minutes)} min, {flops / 1e12:.2f} TFLOPs")
    for arm, own in observed.items():
        if arm != PLAIN:
            loss = compared("difference", observed[PLAIN], own, "last_generation_accuracy")
            faster = compared("ratio", observed[PLAIN], own, "minutes")
            print(f"  plain against {arm}: loss {_words(loss)} points, speed-up {_words(faster)}")


def _observed(kept: Recorded, run: RecordedRun) -> Observed:
    values, failed = last_generation(run.values, kept.arms[run.arm]["networks"])
    return Observed(run.seed, run.seconds / 60, tuple(100 * value for value in values), failed)


def _words(found: Any) -> str:
    if found is None:
        return "-"
    return f"{found.value:.2f}" + ("" if found.low is None else f" [{found.low:.2f}, {found.high:.2f}]")


def text(kept: Recorded) -> str:
    """The file: one line for each run."""
    whole = json.loads(kept.model_dump_json())
    runs = ",\n".join("  " + json.dumps(run, separators=(",", ":")) for run in whole.pop("runs"))
    return json.dumps(whole, indent=1).removesuffix("\n}") + f',\n "runs": [\n{runs}\n ]\n}}\n'


if __name__ == "__main__":
    main()
