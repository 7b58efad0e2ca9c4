"""What is refused before a search starts: options that do not fit each other, or the space."""

from __future__ import annotations

from typing import Any

from search_engine.base.errors import BadInput
from search_engine.spaces.base import SearchSpace
from search_engine.structures.temperature import LEAST_LEARNED

from .options import VariationalConfig


def options_fit(options: VariationalConfig) -> None:
    """Raise BadInput for options that contradict each other."""
    if options.lambda_schedule == "exponential":
        for name in ("lambda_prior_q", "lambda_prior_l"):
            ends = {name: getattr(options, name), f"{name}_end": getattr(options, f"{name}_end")}
            if ends[f"{name}_end"] is not None and min(ends.values()) <= 0:
                worst = min(ends, key=lambda key: float(ends[key]))
                raise BadInput(f"options.{worst}", "an exponential schedule needs both ends above 0; use linear to reach 0")
    if options.lambda_schedule == "constant":
        for name in ("lambda_prior_q_end", "lambda_prior_l_end"):
            if getattr(options, name) is not None:
                raise BadInput(f"options.{name}", "a constant λ has no other end: choose lambda_schedule = linear or exponential")
    if options.lambda_struct and any(options.lambda_struct) and not options.learn_structure_prior:
        raise BadInput("options.lambda_struct", "it moves the structure's prior, which is not learned here: set learn_structure_prior")
    if options.hyperprior_shape and not options.learn_precision:
        raise BadInput("options.hyperprior_shape", "it is a prior of the precisions, which are not learned here: set learn_precision")
    if options.problem == "free_energy":
        for name in ("lambda_likelihood_q", "lambda_prior_q", "lambda_prior_q_end"):
            if getattr(options, name) != type(options).model_fields[name].default:
                raise BadInput(f"options.{name}", "the free energy has no Q: its description cost is weighed by lambda_prior_l")
    elif options.levels == "one" and not all(lambdas.one_level for lambdas in options.ends):
        raise BadInput(
            "options.levels", "one level solves the same problem only where λ^Q_prior = λ^Q_likelihood × λ^L_prior, from start to end"
        )
    if options.problem == "free_energy" and options.lambda_struct:
        raise BadInput("options.lambda_struct", "the free energy has no prior over structures; use problem = general")
    if options.problem == "free_energy" and options.levels == "one":
        raise BadInput("options.levels", "the free energy fits weights and structure on different data: it has two levels")
    if options.posterior_temperature <= LEAST_LEARNED:
        raise BadInput("options.posterior_temperature", f"a learned temperature begins above {LEAST_LEARNED}")


def space_fits(options: VariationalConfig, space: SearchSpace[Any]) -> None:
    """Raise BadInput for options that the space's family cannot carry."""
    for group in space.family():
        if group.constraint == "real" and options.problem == "general":
            raise BadInput(
                "options.problem",
                f"the weights of '{space.id}' are real numbers here, and the general problem needs a simplex: use free_energy, or the "
                "space's constraint = simplex",
                code="incompatible",
            )
        for prior in options.structure_priors:
            if len(prior) != len(group.operations):
                raise BadInput(
                    "options.structure_priors",
                    f"an edge of '{group.title}' has {len(group.operations)} operations ({', '.join(group.operations)}); each structure "
                    f"prior needs as many entries, not {len(prior)}",
                )
