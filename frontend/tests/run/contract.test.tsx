/**
 * The contract of every picture, from the engine's event to what is drawn: a run of the engine's own events (scripts/contract_fixtures.py)
 * goes through store and table, is drawn, and is drawn again without one event of a kind that the picture says it is drawn from. Both the
 * picture and its figures must then be others. It knows no picture: a new row of the table, or a new kind of event, is tested from here on.
 */
import { act, cleanup, fireEvent, render } from "@testing-library/react";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { progressTabs } from "../../src/charts/progress";
import type { EventKind, Picture } from "../../src/pictures/picture";
import { PICTURES } from "../../src/pictures/table";
import { viewsOf, type View } from "../../src/pictures/views";
import { RunStore } from "../../src/stream/store";
import type { EventRecord } from "../../src/types/events.gen";
import { csvOf } from "../../src/ui/figures";
import contract from "../fixtures/contract.json";
import schema from "../../src/types/events.schema.json";
import { algorithm, run } from "./events";
import { propsOf } from "./fixtures";
import { drawnBy, recordCanvases, shownBy } from "./recorder";

interface FixtureRun {
  structure: string[];
  options: Record<string, unknown>;
  events: EventRecord[];
}

const RUNS = contract.runs as unknown as Record<string, FixtureRun>;
const KINDS = Object.keys(schema.properties.data.discriminator.mapping).sort() as EventKind[];

/** Facts that are told in words (the log, the result beside the pictures) and have no picture. */
const IN_WORDS: readonly EventKind[] = ["phase_started", "notice", "control", "search_stopped", "model", "run_completed", "ops"];

/** The run's store after its events, without the last one of a kind where one is named. */
async function storeOf({ structure, options, events }: FixtureRun, without?: EventKind): Promise<RunStore> {
  const left = without === undefined ? -1 : events.findLastIndex((event) => event.kind === without);
  const store = new RunStore((flush) => flush());
  const best = events.findLast((event) => event.data.kind === "incumbent")?.data;
  store.setRun(run({ algorithm: algorithm("X", structure), options, best: best?.kind === "incumbent" ? { ...best, candidate: best.candidate ?? null } : null }));
  store.applyRange(1, events.length, events.filter((_, index) => index !== left));
  // Populations in memory are unpacked in the background.
  const blocks = events.filter((event, index) => event.kind === "population" && index !== left).length;
  await vi.waitFor(() => expect(store.individuals.generations).toHaveLength(blocks));
  return store;
}

const viewOf = (store: RunStore, picture: Picture): View | undefined => viewsOf(store, picture.panel).find((view) => view.picture === picture);

/** Canvases draw in the next frame. */
const frames = () =>
  act(async () => {
    for (let frame = 0; frame < 2; frame++) await new Promise((done) => requestAnimationFrame(done));
  });

interface Seen {
  shown: string;
  drawn: string[];
  figures: string;
}

/** The picture as a person sees it, and its figures; empty where the run does not show it. */
async function seen(store: RunStore, picture: Picture): Promise<Seen> {
  const view = viewOf(store, picture);
  if (!view) return { shown: "", drawn: [], figures: "" };
  const { container } = render(<>{picture.view(propsOf(store, { part: view.part }))}</>);
  await frames();
  const result = { shown: shownBy(container), drawn: drawnBy(container), figures: csvOf(picture.figures(store, view.part)) };
  // What it shows on demand: its own tabs and choices, one after the other.
  for (const radio of container.querySelectorAll("[role=radio][aria-checked=false]")) {
    fireEvent.click(radio);
    await frames();
    result.shown += shownBy(container);
    result.drawn.push(...drawnBy(container));
  }
  for (const option of container.querySelectorAll("option")) {
    const choice = option.closest("select");
    if (!choice?.isConnected) continue;
    fireEvent.change(choice, { target: { value: option.value } });
    await frames();
    result.shown += shownBy(container);
    result.drawn.push(...drawnBy(container));
  }
  cleanup();
  window.history.replaceState(null, "", "/runs/r1");
  return result;
}

/** A run that has events of the kind and shows the picture. */
async function runFor(picture: Picture, kind: EventKind): Promise<FixtureRun | undefined> {
  for (const candidate of Object.values(RUNS)) {
    if (candidate.events.some((event) => event.kind === kind) && viewOf(await storeOf(candidate), picture)) return candidate;
  }
  return undefined;
}

beforeAll(recordCanvases);
beforeEach(() => {
  window.history.replaceState(null, "", "/runs/r1");
  // What is fetched (the graph of the best genome) is the server's part.
  vi.stubGlobal("fetch", () => new Promise(() => undefined));
});
afterEach(cleanup);

describe("the table of pictures", () => {
  it("has every kind of event, or it is told in words", () => {
    expect(contract.kinds).toEqual(KINDS);
    const drawn = new Set(PICTURES.flatMap((picture) => picture.events));
    expect(KINDS.filter((kind) => !drawn.has(kind) && !IN_WORDS.includes(kind)), "kinds that nobody shows").toEqual([]);
    expect(IN_WORDS.filter((kind) => drawn.has(kind)), "told in words and drawn").toEqual([]);
  });

  it("has every picture that an algorithm may declare, drawn from the events that the engine says", () => {
    const own = new Map(PICTURES.map((picture) => [picture.id, picture]));
    for (const [name, kinds] of Object.entries(contract.pictures)) {
      const picture = own.get(name);
      expect(picture, `no row for '${name}'`).toBeDefined();
      // A growing graph's steps have a picture of their own beside it.
      const beside = PICTURES.filter((item) => item.panel === "tried").flatMap((item) => item.events);
      for (const kind of kinds) expect([...(picture?.events ?? []), ...beside], `${name}: ${kind}`).toContain(kind);
    }
  });

  it("names every picture once and gives it a title, a note and a twin that there is", () => {
    const ids = PICTURES.map((picture) => picture.id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const picture of PICTURES) {
      expect(picture.title, picture.id).not.toBe("");
      expect(picture.note, picture.id).not.toBe("");
      expect([...ids, "itself"], picture.id).toContain(picture.twin);
      if (picture.after !== undefined) expect(ids, picture.id).toContain(picture.after);
    }
  });
});

describe.each(PICTURES.filter((picture) => picture.events.length > 0))("the picture $id", (picture) => {
  it.each(picture.events.map((kind) => ({ kind })))("shows what $kind says", async ({ kind }) => {
    const fixture = await runFor(picture, kind);
    expect(fixture, `no run of contract_fixtures.py says '${kind}' and shows '${picture.id}'`).toBeDefined();
    const whole = await seen(await storeOf(fixture!), picture);
    const without = await seen(await storeOf(fixture!, kind), picture);
    expect(whole.shown).not.toBe("");
    expect(whole.shown, "the picture says nothing of the event").not.toBe(without.shown);
    if (whole.drawn.length > 0) expect(whole.drawn, "its canvas says nothing of the event").not.toEqual(without.drawn);
    expect(whole.figures, "its figures say nothing of the event").not.toBe(without.figures);
  });

  it("is drawn, where it is a canvas", async () => {
    const fixture = await runFor(picture, picture.events.at(-1)!);
    const { shown, drawn } = await seen(await storeOf(fixture!), picture);
    if (!shown.includes("<canvas")) return;
    const marks = drawn.filter((call) => /^(fill|stroke|fillRect|strokeRect|fillText|putImageData|drawImage) /.test(call));
    expect(marks.length).toBeGreaterThan(0);
    expect(drawn.filter((call) => call.includes("NaN"))).toEqual([]);
  });
});

describe.each(IN_WORDS.map((kind) => ({ kind })))("$kind", ({ kind }) => {
  it("is told in words", async () => {
    const fixture = Object.values(RUNS).find((item) => item.events.some((event) => event.kind === kind));
    const lines = async (without?: EventKind) => (await storeOf(fixture!, without)).log.map((line) => line.text);
    expect(await lines()).not.toEqual(await lines(kind));
  });
});

describe("what a search by trials says of itself", () => {
  it("is charted like what a phase says", async () => {
    const store = await storeOf(RUNS["an ageing population"]!);
    const said = new Set(RUNS["an ageing population"]!.events.flatMap((event) => (event.data.kind === "metrics" ? Object.keys(event.data.values) : [])));
    expect(said).toContain("mean_age");
    const charted = new Set(progressTabs(store).flatMap((tab) => (tab.names.length > 0 ? tab.names : tab.curves.map((curve) => curve.label))));
    expect(charted).toContain("mean_age");
    expect(progressTabs(store, "mean_age").find((tab) => tab.id === "more")?.curves[0]).toMatchObject({ label: "mean age" });
    // A formula costs no samples: the trials lie across.
    const tab = progressTabs(store).find((item) => item.id === "fitness");
    expect(tab?.xLabel).toBe("trials");
    expect(tab?.curves[0]?.x.at(-1)).toBe(14);
  });
});
