"""The weights that a finished task leaves: the modules of its path and its readout, by their names in the super-network."""

from __future__ import annotations

import torch

from search_engine.spaces.modular import Path
from search_engine.supernets.modular_network import ModularSupernet


def module_names(network: ModularSupernet, modules: Path) -> list[str]:
    """The state's names of those modules, layer by layer."""
    prefixes = tuple(f"columns.{layer}.{number}." for layer, numbers in enumerate(modules) for number in numbers)
    return [name for name in network.state_dict() if name.startswith(prefixes)] if prefixes else []


def keep(network: ModularSupernet, modules: Path, domains: int) -> dict[str, torch.Tensor]:
    """Copies of those modules and of the readouts of the first `domains` tasks, on the CPU."""
    state = network.state_dict()
    names = module_names(network, modules) + [f"readouts.{domain}.{part}" for domain in range(domains) for part in ("weight", "bias")]
    return {name: state[name].detach().to("cpu", copy=True) for name in names}


def restore(network: ModularSupernet, kept: dict[str, torch.Tensor], names: list[str] | None = None) -> None:
    """Put kept weights back into a fresh super-network (only `names`, where given); all other weights stay as they were drawn."""
    chosen = kept if names is None else {name: kept[name] for name in names}
    network.load_state_dict({**network.state_dict(), **chosen})
