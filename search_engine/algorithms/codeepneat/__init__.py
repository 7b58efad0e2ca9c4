"""CoDeepNEAT: the entry.

- `search`: the rule; the genes are `search_engine.spaces.genes`, species and offspring `..neat`.
- `genetics`: how modules and blueprints vary, and how far they are apart.
- `assembling`, `credit`: networks from the two populations, and who is credited with their fitness.
- `inheriting`: what of their compression networks leave to their modules.
- `two_schemata`: what of both populations' schemata is followed, where a run wants that.
- `narrowing`: which compressed networks are shown layer by layer.
- `report`: species over the generations, as charts; `coevolution`: the champion and both populations as one picture.
"""

from __future__ import annotations

from typing import Any

from search_engine.base.errors import BadInput
from search_engine.spaces.base import SearchSpace

from ..base import AlgorithmEntry, Phase
from .search import CoDeepNeat, CoDeepNeatConfig


def _phases(options: CoDeepNeatConfig) -> list[Phase]:
    return [CoDeepNeat()]


def check(options: CoDeepNeatConfig, space: SearchSpace[Any]) -> None:
    """Raises BadInput where a population is smaller than what it is divided into, or where networks are to be compressed that cannot be
    (`AlgorithmEntry.check`)."""
    for name, population in (("module_species", options.modules), ("blueprint_species", options.blueprints)):
        wanted = getattr(options, name)
        if wanted > population:
            kind = name.removesuffix("_species")
            raise BadInput(f"options.{name}", f"{population} {kind}s cannot be {wanted} species; at most {population}")
    if options.networks < options.blueprints:
        raise BadInput(
            "options.networks",
            f"{options.networks} networks leave some of the {options.blueprints} blueprints without any; at least {options.blueprints}",
        )
    widest = space.config.filters_max
    if options.compress != "none" and options.kept_of(widest) >= widest:
        if widest == 1:
            raise BadInput(
                "options.compress",
                "layers have one filter (space option filters_max): nothing could be compressed; choose none, or more filters",
            )
        raise BadInput(
            "options.compress_floor",
            f"a layer of {widest} filters would keep {options.kept_of(widest)}: nothing could be compressed; at most {1 - 1 / widest:.2f}",
        )


def advise(options: CoDeepNeatConfig, space: SearchSpace[Any], trials: int | None) -> list[str]:
    """What to know before the start (`AlgorithmEntry.advice`)."""
    if options.compress != "with_inheritance":
        return []
    return [
        "With inheritance modules are shrunk again and again: the thesis that proposes it found the accuracy unstable from generation to "
        "generation, and rejects it for the compression without."
    ]


ENTRY = AlgorithmEntry(
    id="codeepneat",
    title="CoDeepNEAT",
    family="evolution",
    summary="Blueprints and modules evolve side by side, divided into species; networks are assembled from both, and what a network scores "
    "is credited to the blueprint and to the modules that it is made of. Networks can be compressed before they are trained.",
    source="Miikkulainen et al.: Evolving Deep Neural Networks, 2017, arXiv:1703.00548; population and layers as in Nikulenkov, master's "
    "thesis, Moscow State University 2022",
    needs=frozenset({"trials"}),
    space_needs=frozenset({"modules"}),
    config=CoDeepNeatConfig,
    phases=_phases,
    spaces=("blueprint",),
    no_space_for=dict.fromkeys(
        ("vector", "series"),
        "Its modules are graphs of convolutions over images, with a head of dense layers behind them.",
    ),
    lives="two populations of graphs",
    structure=("coevolution", "widths", "charts", "population", "schemata"),
    check="search_engine.algorithms.codeepneat:check",
    advice="search_engine.algorithms.codeepneat:advise",
    finale="The best network of all generations is trained anew, from fresh weights, beside random networks of the same space.",
    quick={
        "options": {"generations": 2, "networks": 2, "blueprints": 2, "modules": 3, "module_species": 2},
        "space_options": {"filters_min": 2, "filters_max": 6, "dense_min": 8, "dense_max": 16},
        "training": {"epochs": 1, "train_examples": 128},
        "finale": {"baselines": 1, "training": {"epochs": 1, "train_examples": 128}},
    },
)
