"""What it takes to open a long run in a browser, and to go back in it.

    python -m benchmarks.replay [--events 100000] [--candidates 10000] [--seeks 100] [--pictures FOLDER]

Makes such a run (`tests/webapp/long_run.py`), serves the application by `manage.py serve`, and opens the run's page in Chromium with the
built front end (`make ui`). *Open*: from the navigation until the picture and the curves are drawn, of five loads, the first of a new
process with an empty cache apart. *Seek*: from a click on the time bar at a random place until the picture of that moment is shown, of 30
clicks half a second apart. *Heap*: what Chromium's collector leaves of the page after `--seeks` clicks, beside what it left after the page
had opened and had loaded what it loads in the background. `--pictures`: the time bar while a moment is loaded, and in the past, at
both widths and in both themes. All else lies in temporary folders.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route, sync_playwright

from benchmarks.live_events import command, migrated, web
from tests.browser.conftest import CHROMIUM_OPTIONS

GATES = {"open": 2_000.0, "seek": 300.0}
"""Milliseconds: the median load; 95 of 100 clicks."""
MOST_HEAP = 150.0
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 360, "height": 740}
TIMED = 30
SETTLED = """() => {
  const busy = document.querySelector('.run-panels[aria-busy="true"]');
  const canvas = document.querySelector('.run-structure canvas');
  return document.querySelector('.time-bar') !== null && busy === null && canvas !== null && canvas.width > 0;
}"""
"""The page shows the picture of the moment that was asked for."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--candidates", type=int, default=10_000)
    parser.add_argument("--seeks", type=int, default=100)
    parser.add_argument("--pictures", type=Path, help="folder for pictures of the time bar")
    options = parser.parse_args()
    with migrated("sqlite") as environment:
        size = ("--events", str(options.events), "--candidates", str(options.candidates))
        run = command("-m", "tests.webapp.long_run", "benchmark", *size, environment=environment).split()[-1]
        cookie = command("-m", "benchmarks.long_run", "--enter", environment=environment).split()[-1]
        print(f"{options.events:,} events, {options.candidates:,} candidates, {len(os.sched_getaffinity(0))} cores")
        with web(environment) as (port, _):
            look(f"http://127.0.0.1:{port}", f"/runs/{run}", cookie, options)


def look(origin: str, path: str, cookie: str, options: argparse.Namespace) -> None:
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as playwright:
        # --enable-precise-memory-info and the collector: the heap is what is held, not what is left lying about.
        flags = [*CHROMIUM_OPTIONS, "--enable-precise-memory-info", "--js-flags=--expose-gc"]
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        context = browser.new_context(viewport=WIDE, color_scheme="light")  # type: ignore[arg-type]
        context.add_cookies([{"name": "nascope_session", "value": cookie, "url": origin}])
        page = context.new_page()
        loads = [load(page, origin + path) for _ in range(6)]
        report("open, at first", loads[:1])
        report("open", loads[1:], GATES["open"], statistics.median(loads[1:]))
        page.wait_for_timeout(15_000)
        opened = heap(page)
        rng = random.Random(0)
        seeks = [seek(page, rng.random()) for _ in range(TIMED)]
        report("seek", seeks, GATES["seek"], statistics.quantiles(seeks, n=20)[-1])
        for _ in range(options.seeks - TIMED):
            seek(page, rng.random())
        held = heap(page)
        print(f"  heap     {opened:8.1f} MB when open, {held:.1f} MB after {options.seeks} seeks   "
              f"(at most {MOST_HEAP:.0f}: {'met' if held <= MOST_HEAP else 'missed'})", flush=True)  # fmt: skip
        if options.pictures:
            options.pictures.mkdir(parents=True, exist_ok=True)
            for width in (WIDE, NARROW):
                for theme in ("light", "dark"):
                    pictures(page, origin + path, width, theme, options.pictures)
        browser.close()


def load(page: Page, address: str) -> float:
    """Milliseconds."""
    started = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_function(SETTLED)
    return (time.perf_counter() - started) * 1e3


def seek(page: Page, place: float) -> float:
    """Milliseconds, by the page's own clock."""
    page.wait_for_timeout(500)
    box = page.locator(".time-track").bounding_box()
    assert box is not None
    page.evaluate(
        """() => {
          window.shownAfter = null;
          const track = document.querySelector('.time-track');
          track.addEventListener('pointerdown', () => {
            const began = performance.now();
            const look = () => {
              if (track.getAttribute('aria-busy') === 'false') window.shownAfter = performance.now() - began;
              else requestAnimationFrame(look);
            };
            // The click itself is told to React first, and the page drawn once.
            requestAnimationFrame(() => requestAnimationFrame(look));
          }, {once: true, capture: true});
        }"""
    )
    page.mouse.click(box["x"] + 10 + place * (box["width"] - 20), box["y"] + box["height"] / 2)
    page.wait_for_function("() => window.shownAfter !== null")
    return float(page.evaluate("() => window.shownAfter"))


def heap(page: Page) -> float:
    """MB that are held."""
    return float(page.evaluate("() => { gc(); gc(); return performance.memory.usedJSHeapSize / 2 ** 20; }"))


def pictures(page: Page, address: str, width: dict[str, int], theme: str, folder: Path) -> None:
    """The time bar in the past, and while a moment is loaded."""
    page.set_viewport_size(width)  # type: ignore[arg-type]
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.goto(address, wait_until="commit")
    page.wait_for_function(SETTLED)
    seek(page, 0.5)
    page.wait_for_timeout(1_500)
    page.screenshot(path=folder / f"past-{width['width']}-{theme}.png")
    held: list[Route] = []
    page.route("**/moment?*", lambda route: held.append(route))
    box: Any = page.locator(".time-track").bounding_box()
    page.mouse.click(box["x"] + 0.2 * box["width"], box["y"] + box["height"] / 2)
    page.wait_for_timeout(1_000)
    page.screenshot(path=folder / f"loading-{width['width']}-{theme}.png")
    for route in held:
        route.abort()
    page.wait_for_timeout(500)
    page.screenshot(path=folder / f"failed-{width['width']}-{theme}.png")
    page.unroute("**/moment?*")


def report(name: str, found: list[float], most: float | None = None, of: float = 0.0) -> None:
    """Milliseconds: median and largest, and whether the gate is met."""
    gate = "" if most is None else f"   {of:.0f} (at most {most:.0f}: {'met' if of <= most else 'missed'})"
    print(f"  {name:<15}{statistics.median(found):8.0f} ms, largest {max(found):.0f}{gate}", flush=True)


if __name__ == "__main__":
    main()
