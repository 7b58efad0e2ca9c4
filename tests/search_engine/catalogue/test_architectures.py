"""Architectures from text: what people paste is read as what it is, nothing of it is evaluated, and what is wrong is told."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from search_engine.base.errors import BadInput
from search_engine.catalogue import registry
from search_engine.catalogue.architectures import common_shape, make_space, of_genome, read

# Liu, Simonyan and Yang: DARTS; quark0/darts, cnn/genotypes.py, DARTS_V2, as it stands there.
DARTS_V2 = """DARTS_V2 = Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1),
('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5],
reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0), ('skip_connect', 2),
('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5])"""
CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_1x1~1|skip_connect~2|"


def test_published_texts_are_read() -> None:
    found = read(DARTS_V2)
    assert (found.space, found.space_options) == ("cell", {"nodes": 4}) and found.drawings.keys() == {"normal", "reduction"}
    assert read(found.string) == found and read(DARTS_V2.removeprefix("DARTS_V2 = ")) == found
    cell = read(f"  {CELL}\n")
    assert cell.space == "nb201" and cell.string == CELL
    assert ("1", "2", "avg_pool_3x3") in {(edge.source, edge.target, edge.operation) for edge in cell.drawings["cell"].edges}


@pytest.mark.parametrize("space_id", [name for name, entry in registry.spaces().items() if "sample" in entry.offers])
def test_whatever_a_space_draws_is_read_from_its_json_and_from_its_own_text(space_id: str) -> None:
    entry = registry.space(space_id)
    space = make_space(entry, {})
    for seed in range(5):
        genome = space.sample(random.Random(seed))
        wanted = of_genome(space, genome, {})
        forms = [genome.to_json(), wanted.to_json(), {"space": space_id, "space_options": {}, "genome": genome.content}]
        for form in forms:
            assert read(json.dumps(form)) == wanted
        assert read(json.dumps(genome.content), space_id) == wanted
        try:
            space.from_string(wanted.string)
        except BadInput as error:
            assert error.field == "space", "it has no reader of its own"
            continue
        again = read(wanted.string, space_id)
        assert again.hash == wanted.hash and again.string == wanted.string


def test_cells_of_series_and_tables_are_told_by_their_operations() -> None:
    for name in ("cell_1d", "tabular_cell"):
        space = make_space(registry.space(name), {"nodes": 2})
        genome = space.sample(random.Random(1))
        found = read(space.to_string(genome))
        assert (found.space, found.space_options, found.genome) == (name, {"nodes": 2}, genome)


def test_data_decide_where_the_space_hangs_on_them() -> None:
    entry = registry.space("mlp")
    text = make_space(entry, {}).to_string(make_space(entry, {}).sample(random.Random(0)))
    shape = registry.dataset("wine").shape
    assert shape is not None and read(text, "mlp", None, shape).string == read(text, "mlp").string
    assert common_shape(registry.space("cell_1d")).kind == "series" and common_shape(registry.space("sequence")).kind == "none"


EVIL = "__import__('pathlib').Path('evaluated').write_text('x')"
BAD = {
    "": "genome", "   ": "genome", "3 1 2": "space", "{": "genome", "{}": "space", "[1]": "space",
    CELL.replace("nor_conv_3x3", "conv_9x9"): "genome", "|a~0|": "genome", EVIL: "space", f"Genotype(normal={EVIL})": "genome",
    f"Genotype({EVIL})": "genome", f"Genotype(normal=[({EVIL}, 0)])": "genome", "Genotype(" + "(" * 5000: "genome",
    "Genotype(normal=range(10**12), normal_concat=range(10**12))": "genome", "Genotype(" + "-" * 200_000: "genome",
    "{" * 10_000: "genome", '{"a":' * 10_000 + "1" + "}" * 10_000: "genome", "x" * 1_000_001: "genome",
    json.dumps({"space": "nowhere", "content": {}}): "space", json.dumps({"space": 3, "content": {}}): "space",
    json.dumps({"space": "nb201", "content": []}): "genome", json.dumps({"space": "nb201", "content": {"operations": [1] * 6}}): "genome",
    json.dumps({"space": "nb201", "space_options": 3, "genome": {}}): "space_options",
    json.dumps({"space": "nb201", "space_options": {"depth": 3}, "genome": {}}): "space_options.depth",
    DARTS_V2.replace("('skip_connect', 2), ", "", 1): "genome", DARTS_V2.replace("concat=[2, 3, 4, 5]", "concat=[4, 5]", 1): "genome",
    DARTS_V2.replace("('dil_conv_3x3', 2)", "('dil_conv_3x3', 9)"): "genome",
}  # fmt: skip


@pytest.mark.parametrize("text", BAD, ids=lambda text: repr(text[:40]))
def test_what_is_no_architecture_is_told_and_never_evaluated(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput) as error:
        read(text)
    assert error.value.field == BAD[text], str(error.value)
    for name in registry.spaces():
        with pytest.raises(BadInput):
            read(text, name)
    assert not list(tmp_path.iterdir()) and len(str(error.value)) < 2000


def test_a_genome_of_another_space_is_refused() -> None:
    with pytest.raises(BadInput, match="it is of the space 'nb201'"):
        read(json.dumps(read(CELL).genome.to_json()), "cell")
