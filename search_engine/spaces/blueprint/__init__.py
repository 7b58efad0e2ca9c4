"""Networks of modules: a blueprint says how modules are wired, a module how layers are (Miikkulainen et al. 2017, CoDeepNEAT).

A genome is one assembled network with the blueprint and the modules that it was assembled from: whoever trains it needs no population.
Content: `{"blueprint": {"nodes": [[1, head], [2, {"module": 0, "join": "sum"}], ...], "edges": [[0, 2], [2, 1]]}, "modules": [{"nodes":
[[1, {"join": "sum"}], [2, layer], ...], "edges": ...}, ...]}`; node 0 is the input, node 1 the output. A module that stands at two nodes
is there twice, with weights of its own in each place.

- `layers`: what a layer and a head are, the options.
- `assembly`: the layers of a network in order, shapes, parameters, FLOPs.
- `presets`: the two spaces of the thesis.
- `space`: genomes, mutations, pictures.
"""

from __future__ import annotations

from ..base import SpaceEntry
from .layers import BlueprintConfig
from .presets import LARGE, SMALL
from .space import BlueprintSpace

ENTRY = SpaceEntry(
    id="blueprint",
    title="Blueprints of modules",
    description="A graph whose nodes are modules, each a small graph of convolutions with pooling or dropout behind them, and a head of "
    "dense layers. Sizes are bounded before anything is built.",
    source="Miikkulainen et al.: Evolving Deep Neural Networks, 2017, arXiv 1703.00548, section 4; layers and ranges of Nikulenkov, "
    "master's thesis, Moscow State University 2022, section 6.2",
    config=BlueprintConfig,
    space=BlueprintSpace,
    offers=BlueprintSpace.offers,
    idle=dict.fromkeys(("channels", "layers"), "its networks are exactly as wide and as deep as their genomes"),
    builder="search_engine.supernets.blueprint_network:build",
    presets=(SMALL, LARGE),
)
