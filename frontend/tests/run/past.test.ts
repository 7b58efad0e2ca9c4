/**
 * The past of a run: what a store shows that began with a snapshot and got the rest when it was wanted must be what a store shows that was
 * given every event in order.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { EventPage, Moment } from "../../src/api/types";
import { ReplayClock } from "../../src/stream/clock";
import { Past, spread, WHOLE, type Server } from "../../src/stream/past";
import { NEAR, RunStore } from "../../src/stream/store";
import type { EventRecord } from "../../src/types/events.gen";
import contract from "../fixtures/contract.json";
import { born, encodeFloats, event, family, run, structure, told } from "./events";
import { candidatesOf, momentOf, pageOf, snapshotOf } from "./pastServer";

const RUNS = Object.entries(contract.runs as unknown as Record<string, { events: EventRecord[] }>).map(([name, { events }]) => [name, events] as const);
const KINDS = ["policy", "marginals", "plane", "colony", "pathways", "domains", "surrogate", "charts", "mask", "decoded"] as const;

const newStore = () => new RunStore((flush) => flush());

/** A run of `length` events of several kinds, some rare and some frequent, from a small generator of pseudo-random numbers. */
function madeUp(length: number, seed = 1): EventRecord[] {
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  const events: EventRecord[] = [event(1, family as never)];
  let candidates = 0;
  const open: number[] = [];
  const row = () => encodeFloats([random(), random(), random()]);
  while (events.length < length) {
    const seq = events.length + 1;
    const dice = random();
    if (dice < 0.3) {
      open.push(candidates);
      events.push(born(seq, candidates++, candidates > 2 ? [Math.floor(random() * (candidates - 1))] : []));
    } else if (dice < 0.55 && open.length > 0) events.push(told(seq, open.shift()!, Math.round(random() * 50) / 50, random() < 0.1 ? "failed" : "completed"));
    else if (dice < 0.7) events.push(structure(seq, Array.from({ length: 12 }, random)));
    else if (dice < 0.85) events.push(event(seq, { kind: "metrics", step: seq, samples: 10 * seq, values: { loss: random(), ...(random() < 0.2 ? { val_loss: random() } : {}) } }, "phase:0"));
    else if (dice < 0.9) events.push(event(seq, { kind: "policy", step: seq, domain: random() < 0.5 ? 0 : 1, probabilities: row(), sampled: [], parent: [], resampled: [], values: {} } as never, "phase:0"));
    else if (dice < 0.93) events.push(event(seq, { kind: "charts", step: seq, charts: [] } as never, random() < 0.5 ? "phase:0" : "phase:1"));
    else if (dice < 0.96) events.push(event(seq, { kind: "derived", step: seq, genome: { seq }, genome_hash: `g${seq}`, string: "", changed_edges: 2, unit: "edge" } as never));
    else if (dice < 0.97) events.push(event(seq, { kind: "incumbent", candidate: 0, metric: "val_accuracy", value: random(), genome: { seq }, genome_hash: `h${seq}`, string: "s", fidelity: { text: "" }, selected_from: 1 } as never));
    else if (dice < 0.98) events.push(event(seq, { kind: "champion", value: random(), metric: "val_accuracy", generation: seq, genome: {}, genome_hash: "", graph: { nodes: [], edges: [] } } as never));
    else if (dice < 0.985) events.push(event(seq, { kind: "notice", name: "n", message: `notice ${seq}`, values: {} } as never));
    else if (dice < 0.99) events.push(event(seq, { kind: "growth_step", number: seq, action: "add", subject: "edge", accepted: true, objective: "loss", before: 1, after: 0.5 } as never));
    else events.push(event(seq, { kind: "ops", what: "resumed", message: "" } as never));
  }
  return events;
}

/** Everything that only the shown moment decides, where no picture may be another one than after all events in order. */
function pictureOf(store: RunStore) {
  const at = store.shown;
  const numbers = store.candidates.bornSeq.flatMap((seq, number) => (seq <= at ? [number] : []));
  const told = store.candidates.told.slice(0, store.candidates.toldBefore(at)).map(({ number, seq, value, best }) => [number, seq, value, best]);
  return {
    family: store.family,
    decisions: store.decisions,
    frames: [...store.frames.values()].flatMap((log) => log.at(at) ?? []).map((frame) => ({ ...frame, values: [...frame.values] })),
    draws: [...store.draws].map(([name, log]) => [name, log.at(at)]),
    pictures: KINDS.map((kind) => store.pictures.latest(kind, at)),
    champion: store.now(store.champions),
    derived: store.now(store.derived),
    best: store.now(store.incumbents),
    generation: store.individuals.generations[store.individuals.until(at) - 1],
    candidates: numbers.map((number) => [number, store.candidates.parents[number], store.candidates.operators[number], (store.candidates.toldSeq[number] ?? Infinity) <= at ? store.candidates.status[number] : "open"]),
    told,
    bestCandidate: store.candidates.bestAt(at),
    growth: store.growth.filter((item) => item.seq <= at),
    phases: store.phases.filter((item) => item.seq <= at),
    notices: store.notices.filter((item) => item.seq <= at),
    marks: store.marks.filter((seq) => seq <= at),
  };
}

/** What also follows from the events around the shown one, once they are held. */
const curvesAt = (store: RunStore) => [...store.series].flatMap(([source, names]) => [...names].map(([name, series]) => [source, name, series.values[series.seqs.findLastIndex((seq) => seq <= store.shown)]]));

/** What all events in order show, asked for at any moment. */
async function whole(events: readonly EventRecord[]): Promise<RunStore> {
  const store = newStore();
  store.setRun(run());
  events.forEach((item) => store.applyRange(item.seq, item.seq, [item]));
  await store.individuals.settled;
  return store;
}

/** A server of these events, and what it was asked for. Answers wait for `release` where `held` is true. */
function serverOf(events: readonly EventRecord[]) {
  const asked: string[] = [];
  const state = { held: false, fails: false, most: 0, under: 0, release: [] as (() => void)[] };
  const answer = async <Answer>(what: string, signal: AbortSignal, make: () => Answer): Promise<Answer> => {
    asked.push(what);
    state.most = Math.max(state.most, ++state.under);
    try {
      await new Promise<void>((done, refuse) => {
        signal.addEventListener("abort", () => refuse(new DOMException("", "AbortError")));
        if (state.held) state.release.push(done);
        else queueMicrotask(done);
      });
      if (state.fails) throw new Error("no answer");
      return make();
    } finally {
      state.under--;
    }
  };
  const server: Server = {
    moment: (at, signal): Promise<Moment> => answer(`moment ${at}`, signal, () => momentOf(events, at)),
    events: (after, limit, signal): Promise<EventPage> => answer(`events ${after}+${limit}`, signal, () => pageOf(events, after, limit)),
  };
  return { server, asked, state };
}

/** A range as the socket sends it to who is behind: of several frames of one picture the last. */
function thinned(range: readonly EventRecord[]): EventRecord[] {
  const picture = ({ kind, source, data }: EventRecord) => `${kind} ${source} ${"domain" in data ? String(data.domain) : ""}`;
  const frames = new Set(["structure", "policy", "charts"]);
  return range.filter((item, place) => !frames.has(item.kind) || !range.slice(place + 1).some((later) => picture(later) === picture(item)));
}

interface Begun {
  store: RunStore;
  past: Past;
  asked: string[];
  state: ReturnType<typeof serverOf>["state"];
}

let begun: Begun[] = [];

/** A page that opened when `at` events had come. Nothing is loaded in the background unless `background`. */
function begin(events: readonly EventRecord[], { at = events.length, background = false, every = 3 } = {}): Begun {
  const { server, asked, state } = serverOf(events);
  const store = newStore();
  const past = new Past(store, server);
  // What began with an empty run has nothing to load in the background: the cursor alone asks.
  if (!background) past.start();
  store.restore(snapshotOf(events, at, { every }));
  if (background) past.start();
  const made = { store, past, asked, state };
  begun.push(made);
  return made;
}

const settle = (time = 2000) => vi.advanceTimersByTimeAsync(time);
/** Blocks of populations are inflated by the browser's own threads. */
const unpacked = async (store: RunStore) => {
  vi.useRealTimers();
  await store.individuals.settled;
  vi.useFakeTimers();
};

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  for (const { past } of begun) past.stop();
  begun = [];
  vi.useRealTimers();
});

describe("a moment of the past", () => {
  it.each([...RUNS, ["a made-up run", madeUp(400)] as const])("shows in %s what all events in order show, at every event", async (_, events) => {
    vi.useRealTimers();
    const truth = await whole(events);
    vi.useFakeTimers();
    const { store } = begin(events);
    for (const { seq } of [...events].reverse()) {
      truth.setCursor(seq);
      store.setCursor(seq);
      await settle(300);
      await unpacked(store);
      expect(store.seeking, `event ${seq}`).toBe(false);
      expect(pictureOf(store), `event ${seq}`).toEqual(pictureOf(truth));
    }
  });

  it.each([3, 17, 2026])("is right after random jumps, steps and stretches of play (seed %i)", async (seed) => {
    let dice = seed;
    const random = () => (dice = (dice * 48271) % 2147483647) / 2147483647;
    const events = madeUp(3000, seed);
    const truth = await whole(events);
    const { store } = begin(events, { at: 2400 });
    let live = 2400;
    for (let round = 0; round < 60; round++) {
      const choice = random();
      if (choice < 0.5) store.setCursor(1 + Math.floor(random() * store.lastSeq));
      else if (choice < 0.7) store.setCursor(store.timeline.tick(store.cursor ?? store.lastSeq, random() < 0.5 ? -1 : 1));
      else if (choice < 0.8) store.setCursor(null);
      else {
        // What comes live goes on meanwhile, in thinned ranges too.
        const next = Math.min(live + 1 + Math.floor(random() * 12), events.length);
        const range = events.slice(live, next);
        if (range.length > 0) expect(store.applyRange(live + 1, next, random() < 0.5 ? range : thinned(range))).toBe("applied");
        live = next;
      }
      // Sometimes before anything more was loaded than the moment itself.
      await settle(random() < 0.3 ? 250 : 1000);
      const at = store.cursor ?? store.lastSeq;
      truth.setCursor(at);
      expect(store.seeking).toBe(false);
      expect(pictureOf(store), `event ${at} in round ${round}`).toEqual(pictureOf(truth));
    }
  });

  it("keeps the picture of the moment before until it is there, and never shows an older one in its place", async () => {
    const events = madeUp(3000);
    const { store, state, past } = begin(events);
    const newest = pictureOf(store);
    state.held = true;
    store.setCursor(1500);
    await settle();
    expect([store.cursor, store.shown, store.seeking, past.seeking.state]).toEqual([1500, Infinity, true, "loading"]);
    expect(pictureOf(store)).toEqual(newest);
    state.held = false;
    state.release.forEach((done) => done());
    await settle();
    expect([store.shown, store.seeking, past.seeking.state]).toEqual([1500, false, "there"]);
  });

  it("loads what is around it, for steps back and on, for the log and the curves", async () => {
    const events = madeUp(3000);
    const truth = await whole(events);
    const { store, asked } = begin(events);
    store.setCursor(1500);
    await settle(200);
    expect(asked).toEqual(["moment 1500"]);
    await settle();
    const before = asked.length;
    truth.setCursor(1500);
    for (const steps of [-1, -1, -1, 1, 1, 1, 1, 1, 1]) {
      store.setCursor(store.timeline.tick(store.cursor!, steps));
      truth.setCursor(truth.timeline.tick(truth.cursor!, steps));
      expect(store.cursor).toBe(truth.cursor);
      expect(store.seeking).toBe(false);
      expect(curvesAt(store)).toEqual(curvesAt(truth));
    }
    expect(asked.length).toBe(before);
    const line = (target: RunStore, from: number) => target.log.filter(({ seq, tone }) => seq >= from && seq <= 1500 && tone !== "gap" && tone !== "").map(({ seq, text }) => [seq, text]);
    expect(line(store, 1351)).toEqual(line(truth, 1351));
    expect(line(store, 1351).length).toBeGreaterThan(2);
    expect(store.log.filter(({ tone }) => tone === "gap").length).toBeGreaterThan(1);
  });
});

describe("what came live", () => {
  it("is shown as it was, also where the socket left out pictures that were out of date", async () => {
    const events = madeUp(1300);
    const truth = await whole(events);
    const { store } = begin(events, { at: 1000 });
    expect(thinned(events.slice(1000, 1150)).length).toBeLessThan(130);
    store.applyRange(1001, 1150, thinned(events.slice(1000, 1150)));
    store.applyRange(1151, 1300, events.slice(1150));
    for (let seq = 1001; seq < 1300; seq++) {
      store.setCursor(seq);
      truth.setCursor(seq);
      // Nothing more can come before what is shown at once is looked at.
      if (store.seeking) await settle(250);
      expect(store.seeking).toBe(false);
      expect(pictureOf(store), `event ${seq}`).toEqual(pictureOf(truth));
    }
  });
});

describe("scrubbing", () => {
  it("asks a few times a second, one request at a time, and the last moment always comes", async () => {
    const events = madeUp(6000);
    const { store, asked, state } = begin(events);
    // Two seconds of a pointer that moves 60 times a second.
    for (let move = 0; move < 120; move++) {
      store.setCursor(1000 + 30 * move);
      await settle(1000 / 60);
    }
    const last = store.cursor!;
    expect(asked.filter((what) => what.startsWith("moment")).length).toBeLessThanOrEqual(12);
    await settle(250);
    expect(store.shown).toBe(last);
    expect(asked.filter((what) => what.startsWith("moment")).at(-1)).toBe(`moment ${last}`);
    expect(state.most).toBe(1);
  });

  it("ends an older request when a newer one begins", async () => {
    const { store, state, asked } = begin(madeUp(3000));
    state.held = true;
    for (const seq of [500, 900, 1300]) {
      store.setCursor(seq);
      await settle(250);
    }
    expect(asked).toEqual(["moment 500", "moment 900", "moment 1300"]);
    expect(state.under).toBe(1);
    store.setCursor(null);
    await settle(0);
    expect(state.under).toBe(0);
    expect([store.shown, store.seeking]).toEqual([Infinity, false]);
  });

  it("says that a moment did not come, and asks again", async () => {
    const { store, past, state } = begin(madeUp(3000));
    state.fails = true;
    store.setCursor(700);
    await settle(250);
    expect(past.seeking).toMatchObject({ state: "failed", error: new Error("no answer") });
    expect(store.shown).toBe(Infinity);
    state.fails = false;
    past.retry();
    await settle(250);
    expect([past.seeking.state, store.shown]).toEqual(["there", 700]);
  });
});

describe("playing from the past", () => {
  it("goes through every event, waits for those that are not there, and ends live", async () => {
    const events = madeUp(3000).map((item) => ({ ...item, time: item.seq * 0.01 }));
    const truth = await whole(events);
    const { store, state, asked } = begin(events);
    const steps: ((now: number) => void)[] = [];
    const clock = new ReplayClock(store, { request: (step) => steps.push(step), cancel: () => void steps.splice(0) });
    clock.setSpeed(30);
    clock.seek(2000);
    await settle(1000);
    clock.play();
    let now = 0;
    const frame = async (wait = 16) => {
      steps.splice(0).forEach((step) => step((now += 16)));
      await settle(wait);
    };
    const seen = new Set<number>();
    state.held = true;
    // The held answers are for what lies further on: the clock stands at the end of what is known.
    for (let count = 0; count < 200 && !clock.waiting; count++) {
      await frame();
      seen.add(store.cursor!);
    }
    const stood = store.cursor!;
    expect(clock.waiting).toBe(true);
    expect(store.known.end(stood)).toBe(stood);
    expect(events.length - stood).toBeGreaterThan(100);
    for (let count = 0; count < 20; count++) await frame();
    expect(store.cursor).toBe(stood);
    state.held = false;
    state.release.splice(0).forEach((done) => done());
    for (let count = 0; count < 4000 && clock.playing; count++) {
      await frame();
      if (store.cursor === null) break;
      expect(store.seeking).toBe(false);
      truth.setCursor(store.cursor);
      if (count % 10 === 0) expect(pictureOf(store)).toEqual(pictureOf(truth));
    }
    expect([store.cursor, clock.playing, clock.waiting]).toEqual([null, false, false]);
    expect(asked.filter((what) => what.startsWith("moment")).length).toBeLessThanOrEqual(3);
  });

  it("is not held up by what comes live, and is back to live at once", async () => {
    const events = madeUp(3000);
    const { store, asked } = begin(events, { at: 2000 });
    store.setCursor(400);
    await settle();
    const before = pictureOf(store);
    for (const item of events.slice(2000)) store.applyRange(item.seq, item.seq, [item]);
    expect([store.cursor, store.shown, store.lastSeq]).toEqual([400, 400, 3000]);
    expect(pictureOf(store)).toEqual(before);
    const count = asked.length;
    store.setCursor(null);
    expect(store.shown).toBe(Infinity);
    expect(pictureOf(store)).toEqual(pictureOf(await whole(events)));
    expect(asked.length).toBe(count);
  });
});

describe("the background", () => {
  it("loads a short run whole: the log, the curves and every history are those of all events in order", async () => {
    const events = madeUp(2500);
    const truth = await whole(events);
    const { store } = begin(events, { background: true });
    await settle(5000);
    expect([store.known.start(2500), store.known.end(0)]).toEqual([0, 2500]);
    expect(store.log).toEqual(truth.log);
    expect(store.series).toEqual(truth.series);
    expect(store.timeline.ticks).toEqual(truth.timeline.ticks);
    expect(store.frames.get("normal")!.items).toEqual(truth.frames.get("normal")!.items);
    expect(store.candidates.strings).toEqual(truth.candidates.strings);
  });

  it("asks for moments from everywhere of a long one, and stops for who waits", async () => {
    const length = WHOLE + 5000;
    const events: EventRecord[] = Array.from({ length }, (_, place) => structure(place + 1, Array<number>(12).fill(place / length)));
    const { store, asked, state } = begin(events, { background: true, every: 50 });
    state.held = true;
    await settle(100);
    expect(asked).toHaveLength(2);
    store.setCursor(12_345);
    await settle(10);
    expect(asked.at(-1)).toBe("moment 12345");
    expect(state.under).toBe(1);
    state.held = false;
    state.release.splice(0).forEach((done) => done());
    await settle(10_000);
    const seqs = store.frames.get("normal")!.items.map((frame) => frame.seq);
    for (let part = 1; part <= 20; part++) expect(seqs.some((seq) => Math.abs(seq - (part * length) / 20) < length / 90)).toBe(true);
    expect(asked.length).toBeLessThan(120);
  });

  it("spreads its moments from the start on", () => {
    expect(spread(8)).toEqual([0, 4, 2, 6, 1, 3, 5, 7]);
    expect([...spread(96)].sort((a, b) => a - b)).toEqual(Array.from({ length: 96 }, (_, number) => number));
    expect(spread(96).slice(0, 3).every((number) => number % 32 === 0)).toBe(true);
  });
});

describe("what is kept", () => {
  it("is bounded after many jumps and thousands of live events, and right all the same", async () => {
    const length = 12_000;
    const row = (place: number) => encodeFloats(Array<number>(12).fill(place / length));
    const events: EventRecord[] = Array.from({ length }, (_, place) => {
      const seq = place + 1;
      if (place % 3 === 0) return event(seq, { kind: "structure", step: seq, groups: { normal: row(place) }, samples: { normal: row(place) } } as never);
      if (place % 3 === 1) return event(seq, { kind: "colony", step: seq, depth: 1, edges: [], attributes: {}, ants: [], best: [], values: {} } as never);
      return event(seq, { kind: "champion", value: 0, metric: "val_accuracy", generation: seq, genome: {}, genome_hash: "", graph: { nodes: [], edges: [] } } as never);
    });
    const { store } = begin(events, { at: 8000, every: 50 });
    let dice = 5;
    for (let jump = 0; jump < 40; jump++) {
      dice = (dice * 48271) % 2147483647;
      const seq = 1 + (dice % 8000);
      store.setCursor(seq);
      await settle(2000);
      expect(store.frames.get("normal")!.at(store.shown)?.seq).toBe(seq - ((seq - 1) % 3));
      expect(store.pictures.at("colony", store.shown)?.seq ?? 0).toBe(seq < 2 ? 0 : seq - ((seq + 1) % 3));
    }
    for (let seq = 8001; seq <= length; seq += 50) store.applyRange(seq, seq + 49, events.slice(seq - 1, seq + 49));
    // Around the shown moment everything stays, which is a third of that many events of each kind.
    const around = Math.ceil((NEAR.before + NEAR.after) / 3) + 1;
    expect(store.frames.get("normal")!.items.length).toBeLessThanOrEqual(4000 + around);
    expect(store.draws.get("normal")!.items.length).toBeLessThanOrEqual(250 + around);
    expect(store.pictures.items("colony").length).toBeLessThanOrEqual(750 + around);
    expect(store.champions.length).toBeLessThanOrEqual(500 + around);
    expect(store.log.length).toBeLessThanOrEqual(20_000);
    store.setCursor(null);
    expect(store.pictures.at("colony", store.shown)?.seq).toBe(length - 1);
  });

  it("knows candidates beyond those of the snapshot as a moment says them", async () => {
    const events = madeUp(1200);
    const truth = await whole(events);
    const store = newStore();
    const snapshot = snapshotOf(events, 1200);
    const cut = { ...snapshot.candidates, number: [], born: [], told: [], value: [], samples: [], status: [], operator: [], parents: [], same_as: [], reused_from: [] };
    store.restore({ ...snapshot, candidates: cut });
    const said = candidatesOf(events.slice(0, 600), "val_accuracy");
    store.setCursor(600);
    store.enterMoment({ ...momentOf(events, 600), candidates: { ...said, told: said.told.map((lag) => Math.min(lag, 1)), samples: said.samples.map(() => 0) } });
    store.arrived(600);
    truth.setCursor(600);
    const rows = (target: RunStore) => pictureOf(target).told.map(([number, , value]) => [number, value]);
    expect(rows(store)).toEqual(rows(truth));
    expect(store.candidates.bestAt(600)).toBe(truth.candidates.bestAt(600));
    // The events themselves say when it was.
    store.enterPage(0, events.slice(0, 600));
    expect(pictureOf(store).told).toEqual(pictureOf(truth).told);
  });
});
