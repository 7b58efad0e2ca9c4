/**
 * The contract of every picture, from the engine's event to what is drawn: a run of the engine's own events (scripts/contract_fixtures.py)
 * goes through store and table, is drawn, and is drawn again without one event of a kind that the picture says it is drawn from. Both the
 * picture and its figures must then be others. It knows no picture: a new row of the table, or a new kind of event, is tested from here on.
 */
import { act, cleanup, fireEvent, render } from "@testing-library/react";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { TAB_RULES } from "../../src/charts/metricTabs";
import { progressTabs } from "../../src/charts/progress";
import type { EventKind, Picture } from "../../src/pictures/picture";
import { PICTURES } from "../../src/pictures/table";
import { viewsOf, type View } from "../../src/pictures/views";
import { Moments } from "../../src/stream/moments";
import { RunStore } from "../../src/stream/store";
import type { EventRecord } from "../../src/types/events.gen";
import { csvOf } from "../../src/ui/figures";
import contract from "../fixtures/contract.json";
import schema from "../../src/types/events.schema.json";
import { algorithm, encodeFloats, run } from "./events";
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
const IN_WORDS: readonly EventKind[] = ["phase_started", "notice", "control", "search_stopped", "model", "run_completed", "assessment", "ops"];

/** The run's store after its events, without the last one of a kind where one is named. */
async function storeOf({ structure, options, events }: FixtureRun, without?: EventKind): Promise<RunStore> {
  const left = without === undefined ? -1 : events.findLastIndex((event) => event.kind === without);
  const store = new RunStore((flush) => flush());
  const best = events.findLast((event) => event.data.kind === "incumbent")?.data;
  store.setRun(run({ algorithm: algorithm("X", structure), options, ...(best?.kind === "incumbent" ? { search_measure: { kind: "search" as const, metric: best.metric, name: best.metric, unit: "", direction: "maximise" as const } } : {}) }));
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

/** Base64 of float32 with its last number changed; null where a text is none. */
function otherFloats(text: string): string | null {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0 || text.length < 8) return null;
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  if (bytes.length % 4 !== 0) return null;
  const numbers = new Float32Array(bytes.buffer);
  if (!numbers.every((number) => Number.isFinite(number) && (number === 0 || Math.abs(number) > 1e-6) && Math.abs(number) < 1e6)) return null;
  numbers[numbers.length - 1] = 0.5 * (numbers.at(-1) ?? 0) + 0.07;
  return btoa(String.fromCharCode(...bytes));
}

/** An event's measured numbers, one changed at a time: where it stands and the event with it. Whole numbers are places and counts. */
function* changed(node: unknown, path: string): Generator<[path: string, node: unknown]> {
  if (typeof node === "number" && !Number.isInteger(node)) yield [path, 0.5 * node + 0.07];
  if (typeof node === "string") {
    const other = otherFloats(node);
    if (other !== null) yield [path, other];
  }
  if (node === null || typeof node !== "object") return;
  const entries = Object.entries(node);
  for (const [key, value] of entries) {
    // What is said in words below a picture is no part of what it draws.
    if (path === "" && key === "values") continue;
    for (const [where, other] of changed(value, path ? `${path}.${key}` : key)) {
      yield [where, Array.isArray(node) ? node.map((item: unknown, index) => (String(index) === key ? other : item)) : { ...node, [key]: other }];
    }
  }
}

describe.each(PICTURES.filter((picture) => picture.image && picture.events.some((kind) => contract.frames.includes(kind))))("what the picture $id draws", (picture) => {
  it.each(picture.events.filter((kind) => contract.frames.includes(kind)).map((kind) => ({ kind })))("of a '$kind' is all in its figures", async ({ kind }) => {
    const fixture = await runFor(picture, kind);
    const place = fixture!.events.findLastIndex((event) => event.kind === kind);
    const whole = await seen(await storeOf(fixture!), picture);
    const missing: string[] = [];
    for (const [path, data] of changed(fixture!.events[place]!.data, "")) {
      const events = fixture!.events.map((event, index) => (index === place ? { ...event, data: data as EventRecord["data"] } : event));
      const other = await seen(await storeOf({ ...fixture!, events }), picture);
      if (JSON.stringify(other.drawn) === JSON.stringify(whole.drawn)) continue;
      if (other.figures === whole.figures) missing.push(path);
    }
    expect(missing, "drawn, and not in the figures").toEqual([]);
  });
});

describe.each(IN_WORDS.map((kind) => ({ kind })))("$kind", ({ kind }) => {
  it("is told in words", async () => {
    const fixture = Object.values(RUNS).find((item) => item.events.some((event) => event.kind === kind));
    const lines = async (without?: EventKind) => (await storeOf(fixture!, without)).log.map((line) => line.text);
    expect(await lines()).not.toEqual(await lines(kind));
  });
});

describe("numbers and draws beside a picture", () => {
  const VALUED = KINDS.filter((kind) => !IN_WORDS.includes(kind) && Object.values(RUNS).some(({ events }) => events.some((event) => event.data.kind === kind && "values" in event.data && !Array.isArray(event.data.values))));

  it("are those of every kind that has any", () => {
    expect(VALUED).toEqual(expect.arrayContaining(["colony", "domains", "growth_step", "mask", "metrics", "pathways", "policy", "report", "surrogate"]));
  });

  it.each(VALUED.map((kind) => ({ kind })))("of $kind can be taken out with it", async ({ kind }) => {
    const picture = PICTURES.find((item) => item.events.includes(kind))!;
    const fixture = (await runFor(picture, kind))!;
    const last = fixture.events.findLastIndex((event) => event.kind === kind);
    const numbers = (value: number) => fixture.events.map((event, index) => (index === last ? { ...event, data: { ...event.data, values: { entropy: value } } } : event)) as EventRecord[];
    const saved = async (value: number) => csvOf(picture.figures(await storeOf({ ...fixture, events: numbers(value) }), viewOf(await storeOf(fixture), picture)!.part));
    expect(await saved(0.123456789)).toContain("0.123456789");
    expect(await saved(0.123456789)).not.toBe(await saved(0.2));
  });

  it("of a structure that is a distribution can be taken out with its weights", async () => {
    const fixture = RUNS["a family of networks"]!;
    const store = await storeOf(fixture);
    const [group] = store.family;
    const count = group!.edges.length * group!.operations.length;
    const draws = Float32Array.from({ length: 2 * count }, (_, place) => place / 8);
    store.draws.set(group!.name, new Moments(1));
    store.draws.get(group!.name)!.add({ seq: 1, text: encodeFloats([...draws]) });
    for (const id of ["family", "matrix"]) {
      const picture = PICTURES.find((item) => item.id === id)!;
      const table = picture.figures(store, group!.name).find(({ title }) => title === `${group!.title}: draws of the weights`);
      expect(table?.head).toEqual(["draw", "edge", ...group!.operations]);
      expect(table?.rows).toHaveLength(2 * group!.edges.length);
      expect(table?.rows.flatMap((row) => row.slice(2).map((cell) => (typeof cell === "string" ? NaN : cell.value)))).toEqual([...draws]);
    }
  });
});

describe("what a search ranks by", () => {
  /** The bare words that say nothing of measure, unit and direction. */
  const BARE = /^(score|fitness|value|mean score)$/i;

  it("is named in every table of figures and at every axis of Progress", async () => {
    for (const [name, fixture] of Object.entries(RUNS)) {
      const store = await storeOf(fixture);
      for (const picture of PICTURES.filter((item) => item.has(store) && !item.parts && item.id !== "reports")) {
        for (const { title, head } of picture.figures(store, "")) {
          // A table of numbers by name has the name beside each.
          if (["number", "figure", "metric"].some((name) => head.includes(name))) continue;
          expect(head.filter((cell) => BARE.test(cell)), `${name}, ${picture.id}: ${title}`).toEqual([]);
        }
      }
      for (const { title, yLabel } of progressTabs(store)) {
        expect(yLabel, `${name}: ${title}`).not.toBe("");
        expect(yLabel, `${name}: ${title}`).not.toMatch(BARE);
      }
    }
  });

  it("has the engine's own unit and direction at the axes", () => {
    for (const [name, { unit, direction }] of Object.entries(contract.measures)) {
      const rule = TAB_RULES.find((item) => ["accuracy", "r2", "loss"].includes(name) && item.id === name);
      if (rule) expect(rule.axis).toMatch(new RegExp(`\\(${unit}\\), ${direction === "maximise" ? "higher" : "lower"} is better$`));
    }
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
