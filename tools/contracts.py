"""import-linter's contracts, with the imports that stand in strings added to the graph that they check."""

from __future__ import annotations

from grimp import ImportGraph
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.independence import IndependenceContract
from importlinter.contracts.layers import LayersContract
from importlinter.contracts.protected import ProtectedContract
from importlinter.domain.contract import ContractCheck

from . import string_imports


class Layers(LayersContract):
    """`type = "layers_with_strings"`: as import-linter's `layers`."""

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        string_imports.add_to(graph)
        return super().check(graph, verbose)


class Independence(IndependenceContract):
    """`type = "independence_with_strings"`: as import-linter's `independence`."""

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        string_imports.add_to(graph)
        return super().check(graph, verbose)


class Forbidden(ForbiddenContract):
    """`type = "forbidden_with_strings"`: as import-linter's `forbidden`."""

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        string_imports.add_to(graph)
        return super().check(graph, verbose)


class Protected(ProtectedContract):
    """`type = "protected_with_strings"`: as import-linter's `protected`."""

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        string_imports.add_to(graph)
        return super().check(graph, verbose)
