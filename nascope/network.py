"""The network of a download as a torch module."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search_engine.base.errors import BadInput

if TYPE_CHECKING:
    from torch import nn


def of_code(bundle: Path) -> nn.Module:
    """What model.py of the download makes. Runs that file."""
    path = bundle / "model.py"
    spec = importlib.util.spec_from_file_location("nascope_downloaded_model", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise BadInput("network", f"{bundle} lacks model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: nn.Module = module.load_model(bundle / "model.safetensors")
    return made


def rebuilt(bundle: Path) -> nn.Module:
    """The network built from its architecture, with the weights of the download; none of its code is run. Raises BadInput(field "network")
    where its weights are not those of such a network."""
    from safetensors.torch import load

    from search_engine.base.lazy import load_object
    from search_engine.bundle.reopened import reopen
    from search_engine.bundle.source import as_network
    from search_engine.catalogue import registry
    from search_engine.catalogue.architectures import make_space
    from search_engine.spaces.genomes import Genome

    try:
        found = reopen(bundle)
        config = found.config
        entry = registry.space(config.space)
        space = make_space(entry, config.space_options, _shape(bundle, config))
        network = as_network(load_object(entry.builder)(space, Genome(config.space, config.genome), "final", config.training))
    except BadInput as error:
        raise BadInput("network", error.message, error.code) from None
    state = dict(load(found.weights))
    own = network.state_dict()
    if own.keys() != state.keys() or any(own[name].shape != state[name].shape for name in own):
        raise BadInput(
            "network", f"the algorithm finished it in a way of its own, so that only {bundle / 'model.py'} can build it: open the run with "
            "trusted=True if you trust that file", code="incompatible",
        )  # fmt: skip
    network.load_state_dict(state)
    made: nn.Module = network.eval()
    return made


def _shape(bundle: Path, config: Any) -> Any:
    """Of the data that it was made for; the columns of a table are known only while its data set is here."""
    import json

    from search_engine.catalogue import registry
    from search_engine.spaces.data_shape import DataShape

    about = json.loads((bundle / "manifest.json").read_bytes())["dataset"]
    entry = registry.known_dataset(str(about.get("id", "")))
    known = entry.shape if entry is not None else None
    if known is not None and (known.input, known.classes) == (tuple(config.input), config.outputs):
        return known
    task = entry.task if entry is not None else "classification" if about.get("class_names") else "regression"
    return DataShape(tuple(config.input), config.outputs, task)
