"""The work that is left: each stage by its own pace, by earlier runs, or by a rough rule, in this order."""

from __future__ import annotations

from statistics import median

from .known import Known
from .parts import GUESSED, LEARNED, SEEN, SETTLED, STAGES, Left, Piece, Plan, Situation, Width

RULES = {"test": 0.1, "export": 1.2, "verify": 1.8, "redundancy": 0.1}
"""Seconds of a stage of a small network where nothing is known: of the kinds `random` and `evidence` in `benchmarks/recordings/`."""
PER_EPOCH = {"export": 2.5, "redundancy": 3.0}
"""More of them for every second that an epoch of the final training takes; of the kind `darts` there."""
STAGE_SHARE = 0.05
"""What an entrant's progress counts for each stage after its training (search_engine.search.final_work, which needs torch)."""
CONTROL = 0.7
"""A control takes this much of the search where nothing is known: it repeats it, or only looks at what it found."""


def work_left(plan: Plan, now: Situation, known: Known) -> list[Left] | None:
    """The stages that are not over, in their order; None while nothing is known about the search: it has hardly begun, and is the first of
    its kind."""
    if now.over:
        return []
    if not now.finale and _search_is_unknown(plan, now, known):
        return None
    speed = _speed(now, known)
    left: list[Left] = []
    if not now.finale:
        left += _search_left(plan, now, known, speed)
    if not plan.instant:
        left += _finale_left(plan, now, known, speed)
    return [stage for stage in left if stage.seconds > 0]


def _search_is_unknown(plan: Plan, now: Situation, known: Known) -> bool:
    if plan.phases[0][0] and plan.budget is None and (now.trials is None or now.trials.planned is None):
        return True
    if plan.instant:
        return now.charged == 0 and known.pace(plan.search) is None
    if plan.phases[0][0]:
        return not now.trials_over and known.pace("trial") is None and not any(piece.pace for piece in now.pieces)
    first = now.piece("phase:0")
    return first is None or (not first.over and _whole_phase(first, plan, now, known, 1.0) is None)


def _speed(now: Situation, known: Known) -> float:
    """How much longer than in earlier runs of its kind a unit takes now: the machine has other work, or less."""
    ratios = [
        piece.pace / before for piece in now.pieces
        if piece.kind == "phase" and piece.pace is not None and (before := known.pace(piece.source))
    ]
    return min(4.0, max(0.25, median(ratios))) if ratios else 1.0


def _search_left(plan: Plan, now: Situation, known: Known, speed: float) -> list[Left]:
    left: list[Left] = []
    first = now.piece("phase:0")
    first_whole = _whole_phase(first, plan, now, known, speed) if first is not None else None
    for place, (trials, control) in enumerate(plan.phases):
        source = f"phase:{place}"
        if trials:
            left.append(_instant_left(plan, now, known) if plan.instant else _trials_left(plan, now, known))
            continue
        piece = now.piece(source)
        found = _whole_phase(piece, plan, now, known, speed) if piece is not None else None
        if found is not None and piece is not None:
            left.append(Left.of(max(found[0] - piece.seconds, 0.0), found[1]))
        elif first_whole is not None:
            share, whole = known.phase(source), first_whole[0]
            left.append(Left.of(whole * share, LEARNED) if share is not None else _guessed_control(whole, control))
    return left


def _guessed_control(first: float, control: bool) -> Left:
    return Left(first * CONTROL, 0.0, 1.5 * first, first * CONTROL) if control else Left.of(first, GUESSED)


def _whole_phase(piece: Piece, plan: Plan, now: Situation, known: Known, speed: float) -> tuple[float, Width] | None:
    """Expected seconds of a whole step phase; None where neither its own pace nor an earlier one's is known."""
    if piece.over:
        return piece.seconds, (1.0, 1.0)
    shares = [piece.done / piece.total] if piece.total else []
    if plan.budget is not None and plan.budget[0] != "trials":
        shares.append(now.charged / plan.budget[1])
    share = min(1.0, max(shares, default=0.0))
    pace, before = piece.pace, known.pace(piece.source)
    if share > 0 and pace is not None:
        # Units that are left at the pace since the first commit.
        units = piece.done / share * (1 - share)
        return piece.seconds + units * pace, SEEN if share >= SETTLED else GUESSED
    if before is not None and piece.total:
        return piece.total * before * speed, LEARNED
    return None


def _instant_left(plan: Plan, now: Situation, known: Known) -> Left:
    share = _share_searched(plan, now)
    if share > 0:
        return Left.of(now.search_seconds * (1 - share) / share, SEEN if share >= SETTLED else GUESSED)
    before, units = known.pace(plan.search), _units(plan, now)
    return Left.of(units * before, LEARNED) if before is not None else Left.of(0.0, GUESSED)


def _share_searched(plan: Plan, now: Situation) -> float:
    """Of a search by trials: by its budget or by its own plan, whichever ends it first."""
    by_budget = now.charged / plan.budget[1] if plan.budget is not None else 0.0
    return min(1.0, max(by_budget, now.trials.share if now.trials is not None else 0.0))


def _units(plan: Plan, now: Situation) -> float:
    """Of the whole search, in the unit of `Plan.search`."""
    planned = now.trials.planned if now.trials is not None else None
    if plan.budget is None:
        assert planned is not None
        return planned
    kind, limit = plan.budget
    return limit if planned is None or kind != "trials" else min(limit, planned)


def _trials_left(plan: Plan, now: Situation, known: Known) -> Left:
    open_ = [piece for piece in now.pieces if piece.kind == "trial" and not piece.over]
    begun = sum(piece.trials * piece.done / piece.total for piece in open_ if piece.total)
    seconds, count = now.trials_seconds, float(now.trials_over)
    if not count and begun > 0.05:
        seconds, count = sum(piece.seconds for piece in open_), begun
    if count:
        each, width = seconds / count, SEEN if now.trials_over >= 3 else GUESSED
    else:
        before = known.pace("trial")
        each, width = (0.0, GUESSED) if before is None else (before * plan.trial_units, LEARNED)
    at_once = max(plan.window, now.trials.at_once if now.trials is not None else 1)
    if plan.budget is None or plan.budget[0] == "trials":
        rest = max(_trials_to_train(plan, now) - begun, 0.0)
        return Left.of(rest * each, width, longest=rest * each / max(min(at_once, rest), 1.0))
    share = _share_searched(plan, now)
    whole = seconds / share if share > 0 else 0.0
    return Left.of(max(whole - seconds, 0.0), width, longest=max(whole - seconds, 0.0) / at_once)


def _trials_to_train(plan: Plan, now: Situation) -> float:
    """Of a search that a number of trials ends. A trial that is told without being trained again costs nothing: those that were trained so
    far stand for the rest."""
    found = []
    if plan.budget is not None:
        found.append((now.charged, plan.budget[1]))
    if now.trials is not None and now.trials.planned is not None:
        found.append((float(now.trials.told), now.trials.planned))
    return min(_to_train(max(told, float(now.trials_over)), limit, now.trials_over) for told, limit in found)


def _to_train(told: float, limit: float, trained: int) -> float:
    return max(limit - told, 0.0) * (trained / told if told else 1.0)


def _finale_left(plan: Plan, now: Situation, known: Known, speed: float) -> list[Left]:
    """The entrants: side by side where there are workers."""
    entrants = [piece for piece in now.pieces if piece.kind == "final"]
    if not now.finale:
        more = known.baselines if known.baselines is not None else plan.baselines
        entrants = [
            Piece(f"final:{place}", finalist=place < plan.finalists) for place in range(plan.finalists + more)
        ]
    each = [_entrant_left(piece, plan, now, known, speed) for piece in entrants if not piece.over]
    if not each:
        return []
    total, low, high = (sum(values) for values in zip(*each, strict=True))
    return [Left(total, low, high, max(seconds for seconds, _, _ in each))]


def _entrant_left(piece: Piece, plan: Plan, now: Situation, known: Known, speed: float) -> tuple[float, float, float]:
    stages = ["finish", *_stages(plan, piece.finalist)]
    passed = STAGES.index(piece.stage) if piece.stage in STAGES else len(STAGES) if piece.stage == "done" else 0
    finish, finish_width = _finish(piece, plan, now, known, speed)
    # What follows is done of one network, or of all of them in one.
    one = finish if plan.ensemble else finish / plan.trainings(piece.finalist)
    rows: list[tuple[float, Width]] = []
    for stage in stages:
        place = STAGES.index(stage)
        if place < passed:
            continue
        seconds, width = (finish, finish_width) if stage == "finish" else _later(stage, one, plan, known, speed, now.busy)
        if place == passed:
            seconds = _rest(piece, stage, seconds)
        rows.append((seconds, width))
    return sum(s for s, _ in rows), sum(s * w[0] for s, w in rows), sum(s * w[1] for s, w in rows)


def _rest(piece: Piece, stage: str, seconds: float) -> float:
    """Of a stage that is under way and was expected to take `seconds`. The end of one that takes longer is never behind."""
    spent = piece.spent.get(stage, 0.0)
    share = _studied(piece) if stage == "redundancy" else 0.0
    if share > SETTLED and spent > seconds:
        # Its evaluations are not alike, so what was expected is believed until it takes longer.
        return spent * (1 - share) / share
    return max(seconds - spent, 0.1 * seconds)


def _studied(piece: Piece) -> float:
    """How far the study of what can be removed is (`FinalWork.progress` counts it behind the training and the stages before)."""
    steps = _steps(piece)
    return (piece.done - steps) / (STAGE_SHARE * steps) - (STAGES.index("redundancy") - 1) if steps else 0.0


def _steps(piece: Piece) -> float:
    """Of an entrant's training: its `total` counts every later stage as a share of them."""
    return (piece.total or 0.0) / (1 + STAGE_SHARE * (len(STAGES) - 1))


def _finish(piece: Piece, plan: Plan, now: Situation, known: Known, speed: float) -> tuple[float, Width]:
    spent = piece.spent.get("finish", 0.0)
    if piece.stage not in ("", "finish"):
        return spent, (1.0, 1.0)
    steps, trainings = _steps(piece), plan.trainings(piece.finalist)
    bound = plan.finish_bound * trainings
    if plan.finish_units and spent and steps and piece.done >= 0.02 * steps:
        return max(spent, min(spent * steps / piece.done, bound)), SEEN
    for finalist, width in ((piece.finalist, LEARNED), (True, GUESSED)):
        before = known.finish(finalist)
        if before is not None:
            return min(before * max(plan.finish_units * trainings, 1.0) * speed, bound), width
    if not plan.finish_units:
        return 0.1 * now.busy, GUESSED
    return min(plan.finish_units * trainings * _seconds_per_example(plan, now), bound), GUESSED


def _seconds_per_example(plan: Plan, now: Situation) -> float:
    """Of the search so far."""
    if now.trials_over:
        return now.trials_seconds / now.trials_over / max(plan.trial_units, 1.0)
    phase = now.piece("phase:0")
    if phase is not None and phase.pace is not None and now.samples:
        # Without what loading took.
        return phase.pace * phase.done / now.samples
    seconds = sum(piece.seconds for piece in now.pieces if piece.kind in ("phase", "trial"))
    return seconds / now.samples if now.samples else 0.0


def _later(stage: str, finish: float, plan: Plan, known: Known, speed: float, busy: float) -> tuple[float, Width]:
    found = known.stage(stage) if known.own else None
    if found is not None:
        return found[0] * speed, found[1]
    epoch = finish / plan.finish_epochs if plan.finish_epochs else 0.0
    # `epoch` is the clock's already; the rules are CPU seconds, of another machine.
    machine = _machine(known)
    return RULES[stage] * max(busy * min(machine, 1.0), machine) + PER_EPOCH.get(stage, 0.0) * epoch, GUESSED


def after_training(plan: Plan, finish: float, known: Known) -> float:
    """Expected seconds of one finalist's stages after `finish` seconds of training."""
    return sum(_later(stage, finish, plan, known, 1.0, 1.0)[0] for stage in _stages(plan, finalist=True))


def _stages(plan: Plan, finalist: bool) -> list[str]:
    """An entrant's after its training, in their order."""
    stages = ["test"]
    if finalist and plan.exports:
        stages += ["export", "verify"]
    return [*stages, "redundancy"] if finalist and plan.studies else stages


def _machine(known: Known) -> float:
    """How much longer than the machine of `RULES` this one takes, by what needs no network of its own: the check of a download."""
    found = known.stage("verify")
    return found[0] / RULES["verify"] if found is not None else 1.0
