"""The live pictures of controllers, ant colonies, aging populations and pathways, drawn from real searches."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from .pictures import changed_share, coloured_share, ink_share, pixels
from .visitor import Visitor, panel

pytestmark = pytest.mark.services
COUNT: dict[str, Any] = {"space": "sequence", "datasets": ["learn_to_count"], "seeds": [0], "budget": {"trials": 120}}
SMALL: dict[str, Any] = {"epochs": 1, "train_examples": 128}
MOVED = 0.002
"""Share of the canvas's pixels that must differ: some cells, not the smoothing of an edge."""


def picture(page: Page, name: str) -> Locator:
    return panel(page, "Structure").get_by_role("img", name=re.compile(name))


def choose(page: Page, view: str) -> None:
    panel(page, "Structure").get_by_role("radio", name=view, exact=True).click()


def test_a_policy_is_one_heat_map_that_time_changes(admin: Visitor) -> None:
    page = admin.page
    admin.open("/")
    run = admin.start(algorithms=[{"id": "nas_rl", "options": {"learning_rate": 0.03, "batch": 4, "hidden": 16}}], **COUNT)
    admin.wait_for_run(run, "completed")
    admin.open(f"/runs/{run}")
    # Nothing was trained: the picture of the search stays in front, with the most probable choice of each decision in words.
    heat = picture(page, r"^Policy: Number 1 \d+ 0\.\d\d")
    expect(heat).to_be_visible()
    admin.wait(lambda: ink_share(pixels(heat)) > 0.02, "cells are drawn")
    last = pixels(heat)
    page.keyboard.press("Home")
    expect(panel(page, "Structure").get_by_text("Nothing was recorded before this moment.")).to_be_visible()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    expect(heat).to_be_visible()
    admin.wait(lambda: changed_share(last, pixels(heat)) > MOVED, "an earlier policy looks different")
    page.keyboard.press("End")
    expect(panel(page, "Progress").get_by_text("over trials")).to_be_visible()
    choose(page, "Table")
    expect(panel(page, "Structure").get_by_role("row", name=re.compile("^Number 20 ")).first).to_be_visible()
    admin.both_themes("policy-table")


def test_evolution_with_a_policy_has_parent_and_child_and_a_queue(admin: Visitor) -> None:
    page = admin.page
    admin.open("/")
    options = {"population": 20, "sample": 5, "batch": 5, "hidden": 16, "queue": 5}
    run = admin.start(algorithms=[{"id": "evo_nas", "options": options}], **COUNT)
    admin.wait_for_run(run, "completed")
    admin.open(f"/runs/{run}?view=policy")
    expect(picture(page, r"^Latest child: \d+ of 20 decisions drawn anew")).to_be_visible()
    choose(page, "Queue")
    queue = picture(page, "^Aging population: 20 of 20 live")
    admin.wait(lambda: coloured_share(pixels(queue)) > 0.02, "the living are drawn")
    box = queue.bounding_box()
    assert box is not None
    # The newest stands at the right; a click opens it in the inspector.
    page.mouse.click(box["x"] + box["width"] - 30, box["y"] + box["height"] - 46)
    expect(page.get_by_role("heading", name=re.compile(r"^Candidate \d+$")).first).to_be_visible()
    admin.both_themes("queue")


@pytest.mark.slow
def test_a_colony_shows_its_best_path_and_its_pheromone_as_a_table(admin: Visitor) -> None:
    page = admin.page
    admin.open("/")
    run = admin.start(
        algorithms=[{"id": "deepswarm", "options": {"ant_count": 3, "max_depth": 2}}], space="node_chain", datasets=["digits"], seeds=[0],
        budget={"trials": 7}, training=SMALL, finale={"baselines": 0, "onnx": False, "training": SMALL},
    )
    admin.wait_for_run(run, "completed")
    admin.open(f"/runs/{run}?view=colony")
    colony = picture(page, r"^Ant colony: depth 2, 3 ants, \d+ edges; best path: conv")
    admin.wait(lambda: coloured_share(pixels(colony)) > 0.003, "edges and the best path are drawn")
    choose(page, "Table")
    expect(panel(page, "Structure").get_by_role("row", name=re.compile(r"^input → conv 1 "))).to_be_visible()
    admin.both_themes("colony-table")


@pytest.mark.slow
def test_motifs_are_three_linked_graphs(admin: Visitor) -> None:
    page = admin.page
    admin.open("/")
    run = admin.start(
        algorithms=[{"id": "hierarchical_evolution", "options": {"initial": 3}}], space="hierarchical", datasets=["digits"], seeds=[0],
        budget={"trials": 6}, training={**SMALL, "channels": 4, "layers": 1},
        finale={"baselines": 0, "onnx": False, "training": {**SMALL, "channels": 4, "layers": 1}},
    )
    admin.wait_for_run(run, "completed")
    admin.open(f"/runs/{run}?view=motifs")
    structure = panel(page, "Structure")
    expect(structure.get_by_role("group", name=re.compile("^Cell of motifs: input to "))).to_be_visible()
    expect(structure.get_by_role("group", name=re.compile("^Flattened cell: "))).to_be_visible()
    motif = structure.get_by_role("radio", name=re.compile("^motif 2 "))
    motif.check()
    expect(structure.get_by_role("group", name=re.compile("^Motif 2: "))).to_be_visible()
    admin.both_themes("motifs")
    page.set_viewport_size({"width": 360, "height": 900})
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 360, f"the page is {wide} wide on a screen of 360"
    structure.scroll_into_view_if_needed()
    admin.shot("motifs-360")
    page.set_viewport_size({"width": 1440, "height": 900})
    choose(page, "Table")
    expect(structure.get_by_role("row", name=re.compile(r"^3 1 5 .*motif_"))).to_be_visible()
    expect(structure.get_by_role("row", name=re.compile(r"^the best "))).to_be_visible()
    admin.both_themes("motifs-table")


def in_its_box(part: Locator) -> None:
    """Nothing of it sticks out, under its neighbour."""
    assert part.evaluate("one => one.scrollWidth <= one.clientWidth"), part.inner_text()


@pytest.mark.slow
def test_widths_are_charts_with_their_threshold(admin: Visitor) -> None:
    page = admin.page
    admin.open("/")
    options = {"shrink_epochs": 6, "train_epochs": 2, "expand_to": 0.8, "sweep": [0.1, 10.0]}
    run = admin.start(
        algorithms=[{"id": "morphnet", "options": options}], space="resized", datasets=["digits"], seeds=[0],
        finale={"baselines": 1, "onnx": False, "redundancy": False, "training": SMALL},
    )
    admin.wait_for_run(run, "completed")
    admin.open(f"/runs/{run}?view=charts")
    structure = panel(page, "Structure")
    expect(structure.get_by_text(re.compile("of each layer's channels, sorted"))).to_be_visible()
    expect(structure.get_by_text(re.compile("Widths, round 1"))).to_be_visible()
    admin.both_themes("widths")
    page.set_viewport_size({"width": 360, "height": 900})
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 360, f"the page is {wide} wide on a screen of 360"
    structure.scroll_into_view_if_needed()
    admin.shot("widths-360")


@pytest.mark.slow
def test_compressed_networks_show_each_layer_with_the_threshold(admin: Visitor) -> None:
    page = admin.page
    admin.open("/")
    options = {
        "generations": 2, "networks": 4, "blueprints": 3, "modules": 6, "module_species": 2, "compress": "without_inheritance",
        "compress_steps": 60, "compress_strength": 20, "compress_threshold": 0.5, "plain_sample": 2,
    }
    run = admin.start(
        name="compressed networks under a name of many words", algorithms=[{"id": "codeepneat", "options": options}], space="blueprint",
        datasets=["digits"], seeds=[0], space_options={"filters_min": 8, "filters_max": 24, "dense_min": 8, "dense_max": 16},
        training={"epochs": 2, "train_examples": 512}, finale={"baselines": 0, "onnx": False, "redundancy": False, "training": SMALL},
    )
    admin.wait_for_run(run, "completed")
    frame = [event["data"] for event in admin.all_events(run) if event["kind"] == "widths"][-1]
    admin.open(f"/runs/{run}?view=widths")
    in_its_box(page.locator(".run-name"))
    best = frame["networks"][0]
    layer = best["layers"][0]
    widths = f"{layer['name']}: {layer['before']} to {layer['after']} filters"
    drawn = picture(page, rf"^The best so far, candidate {best['candidate']}: .*{widths}")
    expect(drawn).to_be_visible()
    # A bar for every bin that holds a filter, and each layer's two widths.
    bars = sum(count > 0 for each in best["layers"] for count in each["counts"])
    expect(drawn.locator("rect")).to_have_count(bars + 2 * len(best["layers"]))
    expect(drawn.locator(".narrowed-threshold")).to_be_attached()
    admin.both_themes("narrowed")
    page.set_viewport_size({"width": 360, "height": 900})
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 360, f"the page is {wide} wide on a screen of 360"
    panel(page, "Structure").scroll_into_view_if_needed()
    admin.shot("narrowed-360")


@pytest.mark.slow
def test_morphisms_are_a_tree_and_the_champion_shows_what_is_new(admin: Visitor) -> None:
    page = admin.page
    admin.open("/")
    run = admin.start(
        algorithms=[{"id": "network_morphism", "options": {"steps": 3, "children": 4, "morphs": 2, "seed_epochs": 2, "epochs": 1}}],
        space="growing_convnet", space_options={"channels": [4, 4]}, datasets=["digits"], seeds=[0], training={"train_examples": 128},
        finale={"baselines": 0, "onnx": False, "redundancy": False, "training": {"epochs": 1, "train_examples": 128}},
    )
    admin.wait_for_run(run, "completed")
    admin.open(f"/runs/{run}?view=morphisms")
    structure = panel(page, "Structure")
    expect(structure.get_by_role("img", name=re.compile(r"^Tree of \d+ networks; Candidate \d+"))).to_be_visible()
    admin.both_themes("morphisms")
    page.set_viewport_size({"width": 360, "height": 900})
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 360, f"the page is {wide} wide on a screen of 360"
    structure.scroll_into_view_if_needed()
    admin.shot("morphisms-360")
    page.set_viewport_size({"width": 1440, "height": 900})
    choose(page, "Champion")
    admin.both_themes("morphisms-champion")
    choose(page, "Table")
    expect(structure.get_by_role("row", name=re.compile(r"^1 0 1 none "))).to_be_visible()
    admin.both_themes("morphisms-table")


@pytest.mark.slow
def test_two_populations_beside_the_champion_whose_graphs_are_linked(admin: Visitor) -> None:
    page = admin.page
    admin.open("/")
    options = {
        "generations": 6, "networks": 4, "blueprints": 4, "modules": 8, "module_species": 3, "module_change": 0.9, "module_add_node": 0.6,
    }
    run = admin.start(
        algorithms=[{"id": "codeepneat", "options": options}], space="blueprint",
        space_options={"filters_min": 2, "filters_max": 6, "dense_min": 8, "dense_max": 16}, datasets=["digits"],
        seeds=[0], training={"epochs": 1, "train_examples": 64},
        finale={"baselines": 0, "onnx": False, "redundancy": False, "training": {"epochs": 1, "train_examples": 64}},
    )
    admin.wait_for_run(run, "completed")
    frame = [event["data"] for event in admin.all_events(run) if event["kind"] == "coevolution"][-1]
    admin.open(f"/runs/{run}?view=coevolution")
    structure = panel(page, "Structure")
    blueprint = structure.get_by_role("group", name=re.compile("^Blueprint: "))
    network = structure.get_by_role("group", name=re.compile("^Assembled network: "))
    expect(blueprint).to_be_visible()
    expect(network.locator(".genome-away")).to_have_count(0)
    node = next(node for node in frame["species"])
    blueprint.get_by_role("img", name=re.compile(f"^species {frame['species'][node]}: ")).first.hover()
    expect(network.locator(".genome-away").first).to_be_attached()
    admin.shot("coevolution-linked")
    page.mouse.move(2, 2)
    for title in ("Modules", "Blueprints"):
        expect(structure.get_by_role("img", name=re.compile(f"^{title} by species over 6 generations"))).to_be_visible()
    if any(not row["living"] for row in frame["modules"]["species"]):
        structure.get_by_role("button", name=re.compile("extinct species: unfold")).first.click()
        expect(structure.get_by_text(re.compile("when it last lived")).first).to_be_attached()
    admin.both_themes("coevolution")
    page.set_viewport_size({"width": 360, "height": 900})
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 360, f"the page is {wide} wide on a screen of 360"
    structure.scroll_into_view_if_needed()
    admin.shot("coevolution-360")
    page.set_viewport_size({"width": 1440, "height": 900})
    choose(page, "Table")
    expect(structure.get_by_role("row", name=re.compile(r"^species \d+ 0 ")).first).to_be_visible()
