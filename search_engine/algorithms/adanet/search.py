"""AdaNet: Adaptive Structural Learning of Artificial Neural Networks (C. Cortes et al., ICML 2017, arXiv 1607.01097).

An ensemble f = sum of w_j h_j of bounded subnetworks grows by one subnetwork an iteration, and deeper only where that pays:

    F(w) = 1/m sum over i of  Phi(1 - y_i f(x_i))  +  sum over j of  (lambda r(h_j) + beta) |w_j|

One iteration, l being the depth of the subnetwork that was added last:

    1. Train a candidate of depth l and one of depth l + 1 beside the frozen ensemble (at the start: a linear one and one of depth 1).
    2. For each, minimise F over all mixture weights (convex; proximal steps for the absolute values).
    3. Add the candidate with the lower F, if F is then lower than before; else stop.

F is taken on the training part, as in the paper: what keeps it from growing without end is r. The validation part only watches.

Where it departs from the paper: candidates are perceptrons trained by Adam rather than found in closed form; the subnetworks' outputs
go through tanh, since without a bound a weight means nothing against r; more than two classes are learned with the softmax
cross-entropy of the summed outputs (the authors' TensorFlow code does so); the complexity is sqrt(depth), as in that code, or an
estimate of the Rademacher complexity that the paper's bound is about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from search_engine.base.generators import derive_seed
from search_engine.base.lazy import lazy_module
from search_engine.base.works_with import WorksWith, each, one_of
from search_engine.events import Cost, Metrics, Notice
from search_engine.spaces.ensemble import LARGEST_DEPTH, LARGEST_WIDTH, EnsembleSpace, Subnet

from ..base import AlgorithmConfig, Context, Finalist, StopReason
from ..step_search import StepSearch

if TYPE_CHECKING:
    import torch

    from search_engine.training import batches

    from . import candidate, complexity, ensemble, objective, proximal, report
    from .candidate import Candidate
else:
    torch = lazy_module("torch")
    candidate = lazy_module("search_engine.algorithms.adanet.candidate")
    complexity = lazy_module("search_engine.algorithms.adanet.complexity")
    ensemble = lazy_module("search_engine.algorithms.adanet.ensemble")
    objective = lazy_module("search_engine.algorithms.adanet.objective")
    proximal = lazy_module("search_engine.algorithms.adanet.proximal")
    report = lazy_module("search_engine.algorithms.adanet.report")
    batches = lazy_module("search_engine.training.batches")

ControlName = Literal["plain_network", "random_depths"]


class AdaNetConfig(AlgorithmConfig):
    """Hyper-parameters of AdaNet."""

    works_with: ClassVar[WorksWith] = each(
        ("rademacher_draws", "rademacher_examples", "rademacher_steps", "rademacher_bound"), {"complexity": one_of("rademacher")}
    )

    # ---- growth
    iterations: int = Field(
        default=8, ge=1, le=64, title="Iterations",
        description="The ensemble has at most so many subnetworks. Paper: until F stops falling.",
    )
    width: int = Field(
        default=32, ge=1, le=LARGEST_WIDTH, title="Width", description="Units of each hidden layer of a subnetwork. Authors' code: 32.",
    )
    initial_depth: int = Field(
        default=0, ge=0, le=LARGEST_DEPTH, title="First depth",
        description="The first two candidates have this depth and one more; 0 = a linear model, as in the authors' code.",
    )
    deepest: int = Field(
        default=5, ge=0, le=LARGEST_DEPTH, title="Deepest subnetwork", description="No candidate has more hidden layers than this.",
    )
    connections: bool = Field(
        default=False, title="Connect to earlier subnetworks",
        description="A candidate's layers also read the layers before them of all earlier subnetworks, which stay frozen.",
    )

    # ---- the objective
    complexity_weight: float = Field(
        default=0.001, ge=0, le=1000, title="Complexity weight λ",
        description="Price of complexity in F; 0 = complexity costs nothing. Useful: 0.001 to 0.1. Authors' code: 0.",
    )
    l1_weight: float = Field(
        default=1e-4, ge=0, le=1000, title="Plain weight penalty β",
        description="Price of a mixture weight whatever its subnetwork's complexity. Useful: 0.0001. Authors' code: 0.",
    )
    complexity: Literal["depth", "rademacher"] = Field(
        default="depth", title="Complexity r",
        description="depth: the root of the number of hidden layers (authors' code). rademacher: an estimate of the Rademacher complexity "
        "of all perceptrons of that depth and width with bounded weights, on the training inputs; with it linear models cost, too.",
    )
    surrogate: Literal["logistic", "exponential"] = Field(
        default="logistic", title="Loss of two classes",
        description="Φ(u) of u = 1 - y f(x): log(1 + eᵘ) or eᵘ. More classes: always softmax cross-entropy.",
    )
    mixture_steps: int = Field(
        default=300, ge=1, le=100_000, title="Proximal steps", description="Most steps that the mixture weights of a candidate are given.",
    )

    # ---- training of a candidate
    epochs: int = Field(default=20, ge=1, le=10_000, title="Epochs", description="Passes over the training part for each candidate.")
    batch_size: int = Field(default=64, ge=1, le=65_536, title="Batch size", description="Examples per step.")
    learning_rate: float = Field(default=0.01, gt=0, le=10, title="Learning rate", description="Adam's, for a candidate.")

    # ---- the Rademacher estimate
    rademacher_draws: int = Field(
        default=8, ge=1, le=1000, title="Rademacher: draws", description="Random label vectors over which the estimate averages.",
    )
    rademacher_examples: int = Field(
        default=256, ge=1, le=100_000, title="Rademacher: examples",
        description="The first so many training examples that it looks at; fewer examples give a larger complexity.",
    )
    rademacher_steps: int = Field(
        default=100, ge=1, le=100_000, title="Rademacher: ascent steps",
        description="Steps of the search for the function that fits a random label vector best.",
    )
    rademacher_bound: float = Field(
        default=1.0, gt=0, le=1000, title="Rademacher: norm bound",
        description="Largest norm of a layer's weights, and of its biases, in the class of functions.",
    )

    # ---- comparison
    controls: tuple[ControlName, ...] = Field(
        default=("plain_network", "random_depths"), max_length=2, title="Controls",
        description="What the ensemble is compared with after the search, outside its budget, each trained on as many samples as the whole "
        "search. plain_network: one perceptron with as many parameters. random_depths: as many subnetworks of random depths, together.",
    )


class AdaNet(StepSearch[AdaNetConfig]):
    """One step is one optimiser step of a candidate, one estimate of a complexity, or the weighing of a trained candidate."""

    title = "AdaNet"
    state_version = 2

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        """Draw the first candidate. Raises TypeError without samples."""
        super().begin(context, handover)
        self.space: EnsembleSpace = context.space  # type: ignore[assignment]
        data = self.samples
        train, validation = self.on_device(data.train, data.validation)
        self.ensemble = ensemble.GrowingEnsemble(self.space, train, validation, context.device)
        self.order = batches.BatchOrder(len(data.train), self.options.batch_size, "candidate", context.seed)
        self.report = report.EnsembleReport(context)
        self.complexities: dict[int, float] = {}
        self.tried: list[Candidate] = []
        """Candidates of this iteration that are trained and weighed already."""
        self.candidate: Candidate | None = None
        self.weighed: list[torch.Tensor] = []
        """For each of `tried` the mixture weights that minimise F, its own last."""
        self.iteration = 0
        self.ended = False
        self._losses = [0.0, 0]

    # ---- where in the loop

    @property
    def depths(self) -> list[int]:
        """Depths of this iteration's candidates, the plain one first."""
        last = self.ensemble.subnets[-1].depth if self.ensemble.members else self.options.initial_depth
        return [last, last + 1] if last < self.options.deepest else [last]

    @property
    def _per_candidate(self) -> int:
        return self.options.epochs * self.order.per_epoch

    @property
    def horizon(self) -> int:
        """Steps of all iterations; it ends earlier where F stops falling."""
        estimates = self.options.iterations + 1 if self.options.complexity == "rademacher" else 0
        return self.options.iterations * 2 * (self._per_candidate + 1) + estimates

    def planned_samples(self) -> float:
        train, validation = (len(part) for part in self.ensemble.parts.values())
        candidates = 2 * self.options.iterations
        return Cost(forward_backward=candidates * self.options.epochs * train, forward=candidates * (train + validation)).samples

    @property
    def stop_reason(self) -> StopReason:
        return "settled" if self.iteration < self.options.iterations else "horizon"

    @property
    def finished(self) -> bool:
        return self.ended

    # ---- one step

    def step(self) -> Cost:
        """The next step of the loop. Raises TrialFailure where a loss is not finite."""
        depth = self.depths[len(self.tried)]
        if depth not in self.complexities:
            cost = self._estimate(depth)
        elif self.candidate is None or self.candidate.trained < self._per_candidate:
            cost = self._train(depth)
        else:
            cost = self._weigh(self.candidate)
        self.done += 1
        self.spend(cost)
        if len(self.tried) == len(self.depths):
            self._decide()
        return cost

    def _estimate(self, depth: int) -> Cost:
        """r of a depth, once."""
        options = self.options
        if options.complexity == "depth":
            self.complexities[depth] = complexity.depth_complexity(depth)
            return self._train(depth)
        part = self.ensemble.parts["train"]
        inputs = part.normalise(part.raw[: options.rademacher_examples]).flatten(1).cpu()
        # The same random labels for every depth: the comparison of two depths is then not one of two draws.
        generator = torch.Generator().manual_seed(derive_seed(self.context.seed, "rademacher"))
        self.complexities[depth] = complexity.rademacher_perceptrons(
            inputs, depth, options.width, bound=options.rademacher_bound, draws=options.rademacher_draws, steps=options.rademacher_steps,
            generator=generator,
        )
        message = f"the Rademacher complexity of perceptrons of depth {depth} on {len(inputs)} training inputs is about "
        message += f"{self.complexities[depth]:.3f}"
        values = {"depth": float(depth), "complexity": self.complexities[depth]}
        self.context.emit(Notice(name="complexity", message=message, step=self.done + 1, values=values), self.done + 1)
        return Cost(forward_backward=(options.rademacher_steps + 1) * options.rademacher_draws * len(inputs))

    def _penalty(self, depth: int) -> float:
        """lambda r(h) + beta."""
        return self.options.complexity_weight * self.complexities[depth] + self.options.l1_weight

    def _new_candidate(self, depth: int) -> Candidate:
        connections = tuple(range(len(self.ensemble.members))) if self.options.connections else ()
        return candidate.Candidate(
            self.ensemble, Subnet(depth, self.options.width, connections), self.order, penalty=self._penalty(depth),
            surrogate=self.options.surrogate, rate=self.options.learning_rate,
        )

    def _train(self, depth: int) -> Cost:
        """One optimiser step of the candidate, which is drawn first where it does not exist."""
        if self.candidate is None:
            self.candidate = self._new_candidate(depth)
        loss, cost = self.candidate.train()
        or_else = " or the logistic loss" if self.options.surrogate == "exponential" else ""
        self.require_finite(f"the loss of a candidate of depth {depth}", loss, "a smaller learning rate" + or_else)
        self._losses = [self._losses[0] + loss, self._losses[1] + 1]
        if self.candidate.trained % self.order.per_epoch == 0:
            values = {
                "candidate_loss": self._losses[0] / self._losses[1], "candidate_depth": float(depth),
                "candidate_weight": float(self.candidate.weight.detach()),
            }
            self._losses = [0.0, 0]
            self.context.emit(Metrics(step=self.done + 1, samples=self.cost.plus(cost).samples, values=values), self.done + 1)
        return cost

    def _weigh(self, trained: Candidate) -> Cost:
        """The mixture weights that minimise F with the candidate in."""
        cost = self.ensemble.measure(trained.member)
        start = torch.cat([self.ensemble.weights, torch.zeros(1, dtype=torch.float64)])
        self.weighed.append(proximal.minimise(self._objective(trained), start, self.options.mixture_steps))
        self.tried.append(trained)
        self.candidate = None
        return cost

    def _objective(self, trained: Candidate | None) -> objective.Objective:
        """F on the training part, of the ensemble with that candidate."""
        subnets = [*self.ensemble.subnets, *([trained.member.subnet] if trained is not None else [])]
        return objective.Objective(
            self.ensemble.stacked(trained.member if trained is not None else None), self.ensemble.parts["train"].labels.cpu(),
            torch.tensor([self._penalty(subnet.depth) for subnet in subnets], dtype=torch.float64), self.options.surrogate,
        )

    def _decide(self) -> None:
        """Take the better candidate if F falls, else stop."""
        results = []
        for trained, weights in zip(self.tried, self.weighed, strict=True):
            depth, value = trained.member.subnet.depth, self._objective(trained).value(weights)
            results.append(report.Tried(depth, float(weights[-1]), self.complexities[depth], value.loss, value.penalty))
        before = self._before()
        best = min(range(len(results)), key=lambda place: results[place].total)
        accepted = self._accepts(before.total, results[best])
        if accepted or not self.ensemble.members:
            # Where not even the first pays, the ensemble is that one with weight 0: the constant f = 0.
            self.ensemble.weights = self.weighed[best] if accepted else torch.zeros(1, dtype=torch.float64)
            self.ensemble.members.append(self.tried[best].member)
        self.iteration += 1
        self.ended = not accepted or self.iteration >= self.options.iterations
        after = results[best] if accepted else before
        scores = {part: self.ensemble.scores(self.ensemble.weights, part=part) for part in ("train", "validation")}
        done = report.Round(
            before.total, results, best, accepted, after.loss, after.penalty, scores["train"]["accuracy"], scores["validation"]["accuracy"],
            scores["validation"]["loss"],
        )
        self.report.say_round(self.done, self.cost.samples, done, self.ensemble.subnets, self.ensemble.weights.tolist())
        self.tried, self.weighed = [], []

    def _before(self) -> objective.Value:
        """F of the ensemble as it stands; of f = 0 at the start."""
        grown = bool(self.ensemble.members)
        return self._objective(None if grown else self.tried[0]).value(self.ensemble.weights if grown else torch.zeros(1).double())

    def _accepts(self, before: float, found: report.Tried) -> bool:
        # A weight of exactly 0 adds nothing; F may then still fall by the last digits of the other weights.
        return found.weight != 0 and found.total < before

    # ---- what comes out

    def best(self) -> list[Finalist]:
        """The ensemble, as it is. Where the budget cut the first iteration: the candidate with the weight it was trained with."""
        grown = self.ensemble if self.ensemble.members else self._provisional()
        genome, network = grown.genome_and_network()
        value = grown.scores(grown.weights)["accuracy"]
        return [
            Finalist(
                genome, finish="as_is", value=value, init={"network": network}, selected_from=self.report.compared, fidelity=report.GROWN
            )
        ]

    def _provisional(self) -> ensemble.GrowingEnsemble:
        first = self.tried[0] if self.tried else self.candidate
        if first is None:
            # Not even its first step: only an estimate of its complexity was paid for.
            first = self._new_candidate(self.depths[0])
        return self.ensemble.alone(first.member, self.weighed[0] if self.tried else first.weight.detach())

    def handover(self) -> dict[str, Any]:
        """What the controls repeat: sizes, samples, scores."""
        found = self.best()[0]
        subnets = self.space.subnetworks_of(found.genome)
        return {
            "subnetworks": len(subnets), "deepest": max(subnet.depth for subnet in subnets), "samples": self.cost.samples,
            "parameters": self.space.parameters_of(subnets), "val_accuracy": found.value,
        }

    # ---- checkpoints

    def state_dict(self) -> dict[str, Any]:
        return {
            **super().state_dict(),
            "ensemble": self.ensemble.state_dict(),
            "complexities": [[depth, value] for depth, value in self.complexities.items()],
            "tried": [item.state_dict() for item in self.tried],
            "weighed": [weights.clone() for weights in self.weighed],
            "candidate": None if self.candidate is None else self.candidate.state_dict(),
            "report": self.report.state_dict(),
            "iteration": self.iteration,
            "ended": self.ended,
            "losses": list(self._losses),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.ensemble.load_state_dict(state["ensemble"])
        self.complexities = {depth: value for depth, value in state["complexities"]}
        self.tried, self.weighed = [], list(state["weighed"])
        for depth, kept in zip(self.depths, state["tried"], strict=False):
            self.tried.append(self._restored(depth, kept))
        self.candidate = None
        if state["candidate"] is not None:
            self.candidate = self._restored(self.depths[len(self.tried)], state["candidate"])
        self.report.load_state_dict(state["report"])
        self.iteration, self.ended = state["iteration"], state["ended"]
        self._losses = list(state["losses"])

    def _restored(self, depth: int, state: dict[str, Any]) -> Candidate:
        made = self._new_candidate(depth)
        made.load_state_dict(state)
        return made
