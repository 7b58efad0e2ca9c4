"""The form of a new experiment, the login page, what strangers see, the keyboard, and accessibility."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from .server import ROOT, Server
from .visitor import Visitor, panel

pytestmark = pytest.mark.services
AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
PASSWORD = "a long password of grace"


def choice(page: Page, group: str, title: str) -> Locator:
    """The radio button or check box of a choice."""
    role: Any = "checkbox" if group == "Algorithms" else "radio"
    return page.get_by_role("group", name=group, exact=True).get_by_role(role, name=title, exact=True)


def start_button(page: Page) -> Locator:
    return page.get_by_role("complementary", name="Start").get_by_role("button", name="Start")


@pytest.fixture
def grace(server: Server, tab: Callable[..., Visitor]) -> Visitor:
    """A second user, logged in by name and password through the login page."""
    server.add_user("grace", PASSWORD)
    visitor = tab()
    visitor.expected += [r"status of 401.*/api/v1/me\)"]
    visitor.open("/")
    visitor.page.get_by_label("User name").fill("grace")
    visitor.page.get_by_label("Password").fill(PASSWORD)
    visitor.page.get_by_role("button", name="Log in").click()
    expect(visitor.page.get_by_role("link", name="grace", exact=True)).to_be_visible()
    return visitor


def test_anonymous_visitors_get_the_login_page(stranger: Visitor) -> None:
    page = stranger.page
    for path in ("/", "/new", "/experiments", "/runs/00000000-0000-4000-8000-000000000000"):
        stranger.open(path)
        expect(page.get_by_role("button", name="Log in")).to_be_visible()
        assert page.get_by_role("navigation").count() == 0
    stranger.shot("login-light")

    stranger.expected.append(r"status of 400.*auth/login")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("name or password is wrong")


def test_the_printed_link_works_once(server: Server, session: Any, stranger: Visitor) -> None:
    """`session` has used it."""
    stranger.expected.append(r"status of 403.*/login/")
    stranger.page.goto(server.link)
    expect(stranger.page.get_by_text("was used before")).to_be_visible()
    stranger.open("/")
    expect(stranger.page.get_by_role("button", name="Log in")).to_be_visible()


def test_a_wrong_value_is_said_at_its_field_and_start_is_refused(admin: Visitor) -> None:
    page = admin.page
    admin.open("/new?algorithm=regularized_evolution")
    options = panel(page, "Regularized evolution")
    population = options.get_by_label("Population", exact=True)
    before = admin.get("experiments")["results"]

    population.fill("1")
    population.blur()
    expect(population).to_have_attribute("aria-invalid", "true")
    message = page.locator(f"#{population.get_attribute('id')}-problem")
    expect(message).to_be_visible()
    assert "2" in message.inner_text()
    expect(page.get_by_role("complementary", name="Start")).to_contain_text("1 thing to put right")
    admin.shot("form-wrong-value")
    expect(start_button(page)).to_have_attribute("aria-disabled", "true")
    start_button(page).dispatch_event("click")
    expect(population).to_be_focused()
    assert page.url.endswith("/new?algorithm=regularized_evolution")

    # Each value is in its range, but they do not fit together: that is the server's answer.
    population.fill("10")
    sample = options.get_by_label("Tournament", exact=True)
    sample.fill("20")
    sample.blur()
    expect(page.get_by_role("complementary", name="Start")).to_contain_text("to put right")
    start_button(page).dispatch_event("click")
    assert page.url.endswith("/new?algorithm=regularized_evolution")
    assert admin.get("experiments")["results"] == before

    sample.fill("5")
    expect(start_button(page)).not_to_have_attribute("aria-disabled", "true")


@pytest.mark.slow
def test_trials_trained_together_are_offered_refused_and_shown(admin: Visitor) -> None:
    page = admin.page
    admin.open("/new?algorithm=grid")
    choice(page, "Search space", "Perceptrons and their training").check()
    page.get_by_role("heading", name="Machine").click()
    field = page.get_by_label("Trials trained together", exact=True)
    expect(field).to_have_value("1")
    field.fill("9")
    field.blur()
    message = page.locator(f"#{field.get_attribute('id')}-problem")
    expect(message).to_contain_text("of Grid search that is 8 (options.window)")
    for width in (1440, 360):
        page.set_viewport_size({"width": width, "height": 900})
        message.scroll_into_view_if_needed()
        assert width >= page.evaluate("document.documentElement.scrollWidth")
        for part in (field, message, page.get_by_text("have the same shape are trained together")):
            box = part.bounding_box()
            assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= width
        admin.shot(f"form-together-{width}")
    page.set_viewport_size({"width": 1440, "height": 900})
    field.fill("8")
    expect(message).to_have_count(0)
    page.get_by_label("Order", exact=True).select_option("lexicographic")
    expect(start_button(page)).not_to_have_attribute("aria-disabled", "true")
    start_button(page).click()
    page.wait_for_url(re.compile("/runs/"))
    expect(page.locator(".stat").filter(has_text="trained together")).to_contain_text("up to 8")
    admin.shot("run-together")
    run = admin.run_of_page()
    admin.wait_for_run(run, "completed")
    assert admin.get(f"trials?run={run}&limit=50")["results"][0]["state"] == "completed"


def test_the_server_refuses_what_a_client_lets_through(admin: Visitor) -> None:
    """The same schema on both sides: an invalid body is refused with the field, and nothing is created."""
    admin.open("/")
    before = admin.get("experiments")["results"]
    body = {
        "name": "wrong", "algorithms": [{"id": "regularized_evolution", "options": {"population": 1}}], "space": "nb201",
        "datasets": ["digits"], "seeds": [0], "budget": {"trials": 5},
    }
    problem = admin.send("experiments", body, status=400)
    assert [item["field"] for item in problem["problems"]] == ["algorithms.0.options.population"], problem
    assert admin.send("experiments/validate", body, status=200)["valid"] is False
    assert admin.get("experiments")["results"] == before


def test_closed_choices_say_why(admin: Visitor) -> None:
    page = admin.page
    admin.open("/new?dataset=digits")
    choice(page, "Search space", "DARTS cells").check()
    wann = next(item for item in admin.get("algorithms") if item["id"] == "wann")
    box = choice(page, "Algorithms", wann["title"])
    expect(box).to_be_disabled()
    expect(box).to_have_accessible_description("Searches Neuron graph, not DARTS cells.")
    admin.shot("form-closed-choice")

    # The way out that the page offers: the space that the algorithm searches.
    page.get_by_role("button", name="Search Neuron graph with it").click()
    expect(choice(page, "Algorithms", wann["title"])).to_be_checked()
    expect(choice(page, "Search space", "Neuron graph")).to_be_checked()
    darts = choice(page, "Algorithms", "DARTS")
    expect(darts).to_be_disabled()

    absent = [item for item in admin.get("datasets") if not item["available"]]
    assert "fashion_mnist" in [item["id"] for item in absent]
    for item in absent:
        closed = choice(page, "Data set", item["title"])
        expect(closed).to_be_disabled()
        first, *others = item["missing_files"]
        more = f" and {len(others)} more file{'s' if len(others) > 1 else ''}" if others else ""
        expect(closed).to_have_accessible_description(f"Missing: {first}{more}")


def test_an_estimate_stands_beside_start(admin: Visitor) -> None:
    page = admin.page
    admin.open("/new?dataset=digits&algorithm=random")
    page.get_by_label("Budget in trials").fill("3")
    box = page.get_by_role("complementary", name="Start")
    expect(box).to_contain_text("on this machine")
    expect(box).to_contain_text("3 trials")
    expect(box).to_contain_text(re.compile(r"under a second|about \d+ (s|min)"))
    admin.shot("form-estimate")


def test_somebody_elses_run_is_not_there(admin: Visitor, grace: Visitor) -> None:
    admin.open("/")
    run = admin.start(algorithms=[{"id": "random", "options": {}}], space="nb201", datasets=["digits"], seeds=[0], budget={"trials": 1})
    try:
        grace.expected.append(rf"status of 404.*/api/v1/runs/{run}")
        grace.open(f"/runs/{run}")
        expect(grace.page.get_by_text("This run is not here")).to_be_visible()
        grace.shot("run-of-somebody-else")
        grace.open("/experiments")
        expect(grace.page.get_by_role("main")).not_to_contain_text("browser test")
    finally:
        admin.send(f"runs/{run}/cancel", status=202)


def test_the_keyboard(admin: Visitor) -> None:
    page = admin.page
    admin.open("/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.keyboard.press("?")
    help_ = page.get_by_role("dialog", name="Keyboard")
    expect(help_).to_contain_text("New experiment")
    admin.shot("keyboard-help")
    page.keyboard.press("Escape")
    expect(help_).to_have_count(0)
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name="New experiment", level=1)).to_be_visible()
    page.get_by_label("Name of the experiment").fill("n?t")  # typing is not a shortcut
    assert page.get_by_role("dialog").count() == 0
    page.get_by_label("Name of the experiment").blur()

    def went_home() -> bool:
        # Two keys one after the other, within a second: on a machine with other work they are pressed again.
        page.keyboard.press("g")
        page.keyboard.press("h")
        return urlsplit(page.url).path == "/"

    admin.wait(went_home, "g h leads home")
    first = page.locator("html").get_attribute("data-theme")
    page.keyboard.press("t")
    page.wait_for_function(f"document.documentElement.dataset.theme !== '{first}'")


@pytest.mark.skipif(not AXE.is_file(), reason="the front end's packages are not installed (make ui)")
@pytest.mark.parametrize("path", ["/", "/new", "/architecture?text=3%201%202&space=sequence&options=%7B%22n%22%3A3%7D", "run"])
def test_no_serious_violation_of_accessibility_rules(path: str, tab: Callable[..., Visitor], session: Any, finished_run: str) -> None:
    """axe-core in both themes. Only here the content security policy is off: it keeps foreign scripts out, axe too."""
    visitor = tab(storage_state=session, bypass_csp=True)
    page = visitor.page
    visitor.open(f"/runs/{finished_run}" if path == "run" else path)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.add_script_tag(path=AXE)
    for theme in ("light", "dark"):
        visitor.theme(theme)
        page.wait_for_timeout(300)  # colours glide
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        serious = [
            f"{item['impact']}: {item['id']}: {item['help']}: {[node['html'][:160] for node in item['nodes'][:3]]}"
            for item in found["violations"]
            if item["impact"] in ("serious", "critical")
        ]
        assert serious == [], f"{path}, {theme}"
        visitor.shot(f"axe-{Path(urlsplit(path).path).name or 'home'}-{theme}")
