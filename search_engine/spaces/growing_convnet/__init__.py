"""Growing convolution networks: chains of convolutions that become deeper, wider and get skip connections (network morphisms).

A genome is a JSON graph: `{"nodes": [{"id": 1, "op": "conv", "inputs": [0], "width": 16, "kernel": 3, "norm": true}, ...]}`, in an order in
which every node stands behind its inputs; 0 is the image, the last node gives the logits. A node keeps its number when the network grows,
and with it the names of its weights.

- `network`: what nodes there are, shapes, parameters and FLOPs.
- `channel_maps`: which channel of the narrow network every channel of a wider one copies, wherever it is read.
- `morphs`: the operators, and which of them fit where.
- `adoption`: finished networks of other spaces as growing ones.
- `space`: genomes, the seed network, pictures.

`supernets.morphing` does to the weights what the operators do to the graph.
"""

from __future__ import annotations

from ..base import SpaceEntry
from .options import GrowingConvnetConfig
from .space import GrowingConvnetSpace

ENTRY = SpaceEntry(
    id="growing_convnet",
    title="Growing convolution networks",
    description="A small chain of convolutions and poolings with a head of dense layers, and everything that becomes of it by morphisms: "
    "deeper, wider, skip connections by concatenation and by a weighted sum.",
    source="Elsken, Metzen, Hutter: Simple and efficient architecture search for convolutional neural networks, 2017, arXiv:1711.04528, "
    "sections 3 and 4; Wei et al.: Network morphism, ICML 2016, arXiv:1603.01670",
    config=GrowingConvnetConfig,
    space=GrowingConvnetSpace,
    offers=GrowingConvnetSpace.offers,
    idle=dict.fromkeys(("channels", "layers"), "its networks are exactly as wide and as deep as their genomes"),
    builder="search_engine.supernets.growing_network:build",
    morpher="search_engine.supernets.morphing.growing:grow",
    adopter="search_engine.supernets.morphing.adoption:adopt",
)
