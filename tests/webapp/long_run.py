"""A run as long as one likes, with all that a page draws of it, for what must not depend on a run's length.

    DJANGO_SETTINGS_MODULE=webapp.settings python -m tests.webapp.long_run OWNER [--events 100000] [--candidates 10000]

Every event goes through the event store as a worker's do, so rows and counters are those of a real run; only the times are made up. Prints
the run's id.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from itertools import islice
from typing import Any

from search_engine import events as say
from search_engine.events import Event, encode_floats

BATCH = 2_000
"""Events of one transaction."""
EDGES = 14
OPERATIONS = [
    "none", "skip_connect", "max_pool_3x3", "avg_pool_3x3", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5",
]  # fmt: skip
SECONDS = 0.05
"""Between two events."""


def long_search(count: int, candidates: int, seed: int = 0) -> Iterator[Event]:
    """`count` events (or a few more) of a search that tries `candidates` while it moves the weights of a family."""
    rng = random.Random(seed)
    nodes = [say.GraphNode(id=str(node), label=str(node), kind="hidden") for node in range(EDGES + 1)]
    edges = [(str(edge), str(edge + 1)) for edge in range(EDGES)]
    group = say.FamilyGroup(name="normal", title="Normal cell", nodes=nodes, edges=edges, operations=OPERATIONS)
    started = say.PhaseStarted(phase=0, name="search", title="Search", language="steps", horizon=count)
    yield Event(source="run", step=0, payload=started)
    yield Event(source="phase:0", step=0, payload=say.FamilyDeclared(groups=[group]))
    said, births, best, hashes = 2, 0, 0.0, [f"{rng.getrandbits(256):064x}"]
    while said < count:
        if births * count < candidates * said:
            for event in _trial(rng, births, hashes, best):
                said += 1
                if isinstance(event.payload, say.Incumbent):
                    best = event.payload.value
                yield event
            births += 1
        else:
            said += 1
            yield _step(rng, said)


def _trial(rng: random.Random, number: int, hashes: list[str], best: float) -> Iterator[Event]:
    """A birth, its result, and the new best where it is one. One in five repeats an architecture, one in fifty fails."""
    if rng.random() < 0.8:
        hashes.append(f"{rng.getrandbits(256):064x}")
    genome_hash = hashes[-1] if rng.random() < 0.8 else rng.choice(hashes)
    content = {"operations": [rng.choice(OPERATIONS) for _ in range(6)]}
    genome = {"space": "nb201", "content": content}
    own: dict[str, Any] = {"genome": genome, "genome_hash": genome_hash, "string": "|".join(content["operations"])}
    parents = [rng.randrange(max(0, number - 64), number)] if number else []
    born = say.CandidateBorn(number=number, parents=parents, operator="mutate" if parents else "random", architectures=len(hashes), **own)
    yield Event(source="run", step=number, payload=born)
    failed, value = rng.random() < 0.02, round((0.5 + rng.random() * 0.4) * 9_973) / 9_973
    told = say.TrialTold(
        number=number, candidate=number, status="failed" if failed else "completed", reason="the loss is no number" if failed else "",
        metrics={} if failed else {"val_accuracy": value, "val_loss": 1 - value}, cost=say.Cost(forward_backward=50_000, forward=10_000),
        charged_samples=53_333.3 * (number + 1), charged_trials=number + 1,
    )
    yield Event(source="run", step=number, payload=told)
    if not failed and value > best:
        trained = say.Fidelity(text="trained for 12 epochs", epochs=12)
        new = say.Incumbent(candidate=number, metric="val_accuracy", value=value, fidelity=trained, selected_from=number + 1, **own)
        yield Event(source="run", step=number, payload=new)


def _step(rng: random.Random, step: int) -> Event:
    """What a search by gradients says: mostly figures, every fourth time the weights, seldom charts, a derived architecture or a notice."""
    kind = rng.random()
    payload: say.Payload
    if kind < 0.25:
        weights = [rng.random() for _ in range(EDGES * len(OPERATIONS))]
        payload = say.StructureFrame(step=step, groups={"normal": encode_floats(weights)})
    elif kind < 0.26:
        line = say.series("entropy", range(50), [rng.random() for _ in range(50)])
        chart = say.Chart(name="entropy", title="Entropy", x_title="step", y_title="nats", series=[line])
        payload = say.ChartsFrame(step=step, charts=[chart])
    elif kind < 0.28:
        payload = say.DerivedGenome(
            step=step, genome={"space": "cell", "content": {}}, genome_hash=f"{rng.getrandbits(256):064x}", string="", changed_edges=1
        )
    elif kind < 0.281:
        payload = say.Notice(name="temperature", message=f"the temperature is halved at step {step}", step=step)
    else:
        values = {"train_loss": rng.random() / step**0.5, "val_loss": rng.random() / step**0.5, "learning_rate": 0.025 / step}
        payload = say.Metrics(step=step, samples=64.0 * step, values=values)
    return Event(source="phase:0", step=step, payload=payload)


def fill(run: Any, count: int, candidates: int) -> None:
    """Tell `run` a long search, and that it is over."""
    from django.db import transaction
    from django.db.models import F
    from django.utils import timezone

    from webapp.core.locks import lock_run
    from webapp.core.models import Event as Row
    from webapp.core.models import Run
    from webapp.events.store import add, write_counter

    told = long_search(count, candidates)
    while events := list(islice(told, BATCH)):
        with transaction.atomic():
            counter = lock_run(run.pk)
            add(counter, events, repeated=False)
            write_counter(counter)
    Row.objects.filter(run_id=run.pk).update(time=timezone.now().timestamp() + SECONDS * (F("seq") - count))
    now = timezone.now()
    Run.objects.filter(pk=run.pk).update(state=Run.State.COMPLETED, reason="made for a test", started=now, finished=now)


def make(owner: Any, count: int, candidates: int) -> Any:
    """A long run of `owner`, in an experiment of its own."""
    from django.db import transaction

    from webapp.core.models import Experiment, Job
    from webapp.jobs import states

    experiment = Experiment.objects.create(owner=owner, name=f"{count} events", config={}, space="nb201", datasets=["digits"])
    config = {"algorithm": "random", "space": "nb201", "datasets": ["digits"], "budget": {"trials": candidates}}
    with transaction.atomic():
        # Where workers are at work, none begins it.
        run = states.create_run(experiment, config)
        Job.objects.filter(run=run).update(runnable=False)
    fill(run, count, candidates)
    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("owner", help="name of the person whose run it is; made where there is none")
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--candidates", type=int, default=10_000)
    options = parser.parse_args()
    import django

    django.setup()
    from django.contrib.auth import get_user_model

    owner, _ = get_user_model().objects.get_or_create(username=options.owner)
    print(make(owner, options.events, options.candidates).pk)


if __name__ == "__main__":
    main()
