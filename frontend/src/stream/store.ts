/**
 * Everything that is known of one run, fed by ordered events. Plain fields; a version per topic; listeners are told once per frame.
 *
 * Hot data never enters React's state: canvases read the store when they draw, components subscribe to the one topic they show. Replay
 * and live view read the same fields. Events of the past are entered late, at their own seq, by the same `take` as those that come live;
 * `known` says at which moments everything is held that they show (stream/past.ts gets the others).
 */
import type { At, CandidateColumns, Moment, Run, Snapshot, Track } from "../api/types";
import type {
  Champion, ControlScored, DecisionInfo, DecisionsDeclared, DerivedGenome, EventRecord, FamilyDeclared, FamilyGroup, FinalistChosen, GrowthStep, Incumbent, Notice, Ops, PhaseStarted,
  PopulationBlock, Report,
} from "../types/events.gen";
import { Candidates } from "./candidates";
import { decodeFloats } from "./floats";
import { Individuals } from "./individuals";
import { Log, type LogLine } from "./log";
import { linesOf } from "./logLines";
import { INITIAL_POPULATION } from "./notices";
import { Moments, type Keeper } from "./moments";
import { added, enter, enterNumber } from "./ordered";
import { Pictures } from "./pictures";
import { Ranges } from "./ranges";
import { lastAtMost } from "./search";
import { scoreKey } from "../ui/score";
import { Timeline } from "./timeline";

export type Topic = "run" | "connection" | "structure" | "candidates" | "metrics" | "growth" | "log" | "end" | "cursor";
export type Connection = "connecting" | "live" | "catching-up" | "reconnecting" | "offline" | "gone";

export interface Series {
  seqs: number[];
  steps: number[];
  samples: number[];
  values: number[];
}

/** Structure parameters of one family group at one moment. */
export interface Frame {
  seq: number;
  step: number;
  /** edges x operations, row-major */
  values: Float32Array;
}

const FRAME_LIMIT = 4000;
/** The whole graph travels with each champion. */
const CHAMPION_LIMIT = 400;
const DERIVED_LIMIT = 1000;
const SERIES_LIMIT = 20_000;
const GROWTH_LIMIT = 5000;
/** Draws take many times the room of a mean: fewer moments of them are kept. */
const MOST_DRAWS = 200;
/** So many events before and after the shown one are never thinned: replay goes through them. */
export const NEAR = { before: 250, after: 1000 } as const;

/** Notices that stand beside the curves, not in the log alone: what there is to know of the data, and an absurd loss of a search by steps. */
const BESIDE = new Set(["data", "doubt"]);

const NO_GROUPS: FamilyGroup[] = [];
const NO_DECISIONS: DecisionInfo[] = [];

export class RunStore {
  run: Run | null = null;
  connection: Connection = "connecting";
  /** How many events are still to come before the view is live. */
  behind = 0;
  lastSeq = 0;
  /** The moment that was asked for, a sequence number, or null for live. */
  cursor: number | null = null;
  /** The moment that is shown: the cursor, or while that is still loaded the moment shown before. */
  private view: number | null = null;
  /** The moments at which every list's last entry is the truth. What was dropped since is not known any more. */
  readonly known = new Ranges();
  /** The events that were entered one by one, live or in pages: what adds up over them is held without thinning. */
  readonly held = new Ranges();
  private readonly keeper: Keeper = {
    near: (from, to) => [this.cursor, this.view].some((at) => at !== null && from <= at + NEAR.after && to >= at - NEAR.before),
    lost: (from, to) => this.known.remove(from, to),
  };

  frames = new Map<string, Moments<Frame>>();
  /** By family group the draws of its weights, base64 (draws x edges x operations), where the structure is a distribution. */
  draws = new Map<string, Moments<{ seq: number; text: string }>>();
  pictures = new Pictures(this.keeper);
  candidates = new Candidates();
  individuals = new Individuals(this.keeper);
  /** What a population in memory ranks by, as its newest block says it; empty name = in a log from before it was said. */
  rankedBy: Pick<PopulationBlock, "metric" | "direction"> = { metric: "", direction: "maximise" };
  timeline = new Timeline();
  series = new Map<string, Map<string, Series>>();
  incumbents: At<Incumbent>[] = [];
  phases: At<PhaseStarted>[] = [];
  notices: At<Notice>[] = [];
  finals: At<FinalistChosen>[] = [];
  controls: At<ControlScored>[] = [];
  reports: At<Report>[] = [];
  /** Seqs of new bests, for the time line. */
  marks: number[] = [];
  private readonly words = new Log();
  private readonly families: At<FamilyDeclared>[] = [];
  private readonly declared: At<DecisionsDeclared>[] = [];
  private readonly championMoments = new Moments<At<Champion>>(CHAMPION_LIMIT, this.keeper);
  private readonly derivedMoments = new Moments<At<DerivedGenome>>(DERIVED_LIMIT, this.keeper);
  private readonly growthMoments = new Moments<At<GrowthStep>>(GROWTH_LIMIT, this.keeper);

  private versions = new Map<Topic, number>();
  private listeners = new Map<Topic, Set<() => void>>();
  private dirty = new Set<Topic>();
  private scheduled = false;
  /** Hears of every new cursor at once, before anything is drawn. */
  onCursor: (() => void) | null = null;

  constructor(private readonly schedule: (flush: () => void) => void = (flush) => requestAnimationFrame(flush)) {
    // Before the first event there was nothing.
    this.known.add(0, 0);
  }

  // ---- topics

  subscribe(topic: Topic, listener: () => void): () => void {
    const set = this.listeners.get(topic) ?? new Set();
    this.listeners.set(topic, set);
    set.add(listener);
    return () => set.delete(listener);
  }

  version(topic: Topic): number {
    return this.versions.get(topic) ?? 0;
  }

  /** What compressing networks before their training took and saved so far, by the newest word of it: figures by name, and a sentence. */
  compression: { message: string; values: Record<string, number> } | null = null;

  private timed(data: Ops): void {
    const values = Object.entries(data.values ?? {}).filter((entry): entry is [string, number] => typeof entry[1] === "number");
    this.compression = { message: data.message, values: Object.fromEntries(values) };
    this.touch("metrics");
  }

  /** What makes the figures say less than they seem to, as the run itself said it. */
  get doubts(): string[] {
    return this.notices.filter(({ data }) => BESIDE.has(data.name)).map(({ data }) => data.message);
  }

  /** The sentence with the digest of what it began with; empty where it says none. */
  get initialPopulation(): string {
    return this.notices.find(({ data }) => data.name === INITIAL_POPULATION)?.data.message ?? "";
  }

  private touch(...topics: Topic[]): void {
    for (const topic of topics) this.dirty.add(topic);
    if (this.scheduled) return;
    this.scheduled = true;
    this.schedule(() => this.flush());
  }

  private flush(): void {
    this.scheduled = false;
    const topics = [...this.dirty];
    this.dirty.clear();
    for (const topic of topics) this.versions.set(topic, this.version(topic) + 1);
    for (const topic of topics) for (const listener of this.listeners.get(topic) ?? []) listener();
  }

  // ---- what is shown

  /** The seq that is shown now. */
  get shown(): number {
    return this.view ?? Infinity;
  }

  /** Whether the moment that was asked for is still loaded: another one is shown. */
  get seeking(): boolean {
    return this.cursor !== null && this.view !== this.cursor;
  }

  /** Whether the newest is shown. */
  get live(): boolean {
    return this.view === null;
  }

  /** Move to a moment (null = live). The picture follows at once where the moment is known, else when it was loaded (`arrived`). */
  setCursor(seq: number | null): void {
    const next = seq === null || seq >= this.lastSeq ? null : Math.max(seq, 0);
    if (next === this.cursor) return;
    this.cursor = next;
    if (next === null || this.known.has(next)) this.show(next);
    this.touch("cursor");
    this.onCursor?.();
  }

  private show(seq: number | null): void {
    if (seq === this.view) return;
    this.view = seq;
    this.touch("cursor", "structure", "candidates", "metrics", "growth", "log");
  }

  /** The last of an ordered list at the shown moment. */
  now<Data>(list: readonly At<Data>[]): Data | undefined {
    return list[lastAtMost(list, this.shown, (item) => item.seq)]?.data;
  }

  /** The family at the shown moment. */
  get family(): FamilyGroup[] {
    return this.now(this.families)?.groups ?? NO_GROUPS;
  }

  /** The space's decisions at the shown moment. */
  get decisions(): DecisionInfo[] {
    return this.now(this.declared)?.decisions ?? NO_DECISIONS;
  }

  get champions(): readonly At<Champion>[] {
    return this.championMoments.items;
  }

  get derived(): readonly At<DerivedGenome>[] {
    return this.derivedMoments.items;
  }

  get growth(): readonly At<GrowthStep>[] {
    return this.growthMoments.items;
  }

  get finalists(): readonly FinalistChosen[] {
    return this.finals.map((item) => item.data);
  }

  /** What the log shows. */
  get log(): readonly LogLine[] {
    return this.words.rows;
  }

  // ---- input

  setRun(run: Run): void {
    // Only the first answer has the whole config and what else is told of one run alone; the short ones that follow must not lose it.
    this.run = { ...this.run, ...run };
    this.touch("run");
    if (run.models.length > 0) this.touch("end");
  }

  setConnection(connection: Connection, behind = this.behind): void {
    if (connection === this.connection && behind === this.behind) return;
    this.connection = connection;
    this.behind = behind;
    this.touch("connection");
  }

  /** Start from a snapshot: everything of the past that adds up, and the newest moment. */
  restore(snapshot: Snapshot): void {
    this.setRun(snapshot.run);
    this.lastSeq = snapshot.as_of_seq;
    this.timeline.restore(snapshot.timeline);
    this.marks = added(snapshot.timeline.marks);
    this.candidates.restore(snapshot.candidates);
    for (const track of snapshot.curves) this.restoreTrack(track);
    for (const item of snapshot.incumbents) enter(this.incumbents, item);
    for (const item of snapshot.phases) enter(this.phases, item);
    for (const item of snapshot.notices) enter(this.notices, item);
    for (const item of snapshot.finalists) enter(this.finals, item);
    for (const item of snapshot.controls) enter(this.controls, item);
    for (const item of snapshot.reports) enter(this.reports, item);
    for (const item of snapshot.growth) this.growthMoments.add(item);
    for (const { seq, data } of snapshot.population) void this.individuals.add(seq, data.generation, data.block, () => this.touch("candidates"));
    this.enterMoment({ at: snapshot.as_of_seq, events: snapshot.events, candidates: null });
    for (const event of snapshot.log) {
      this.tell(event);
      if (event.data.kind === "ops" && event.data.what === "timing") this.timed(event.data);
    }
    // What the log tells of is all that was worth it, from the first of them on; where there is none, nothing was.
    this.words.hold(snapshot.log[0]?.seq ?? 1, snapshot.as_of_seq);
    this.touch("structure", "candidates", "metrics", "growth", "end", "log", "cursor");
  }

  private restoreTrack({ source, names, values, ...columns }: Track): void {
    const [seqs, steps, samples] = [added(columns.seqs), added(columns.steps), added(columns.samples)];
    names.forEach((name, place) =>
      seqs.forEach((seq, index) => this.point(source, name, seq, steps[index] ?? 0, samples[index] ?? 0, values[place]?.[index] ?? NaN)),
    );
  }

  /**
   * A range of events {from, to}. Ranges are contiguous, the events inside may be thinned.
   *
   * Returns "gap" where events before `from` are missing: nothing is applied then, the caller subscribes again after `lastSeq`. What is
   * already known is skipped.
   */
  applyRange(from: number, to: number, events: readonly EventRecord[]): "applied" | "known" | "gap" {
    if (to <= this.lastSeq) return "known";
    if (from > this.lastSeq + 1) return "gap";
    const next = events.filter((event) => event.seq > this.lastSeq);
    const whole = next.length === to - this.lastSeq;
    // Of a thinned range only the end is known: pictures that were out of date were left out.
    if (!whole) this.known.add(next.at(-1)?.seq ?? to, to);
    for (const event of next) {
      if (whole) this.known.add(event.seq, event.seq);
      this.timeline.add(event.seq, event.time, this.take(event));
      this.tell(event);
    }
    this.words.hold(this.lastSeq + 1, to);
    this.held.add(this.lastSeq + 1, to);
    this.lastSeq = to;
    if (this.behind > 0) this.setConnection(this.connection, Math.max(0, this.behind - (to - from + 1)));
    this.touch("cursor");
    return "applied";
  }

  /** What the run showed at one moment of the past. */
  enterMoment({ at, events, candidates }: Moment): void {
    // Since the last of these nothing changed. Said before they are entered: what must go at once for want of room takes it back.
    this.known.add(events.at(-1)?.seq ?? 0, at);
    if (candidates) this.restoreCandidates(candidates, at);
    for (const event of events) this.enterPast(event);
    this.touch("cursor");
  }

  private restoreCandidates(columns: CandidateColumns, at: number): void {
    this.candidates.restore(columns, at);
    this.touch("candidates");
  }

  /** Events of the past, all of them that follow event `after`. */
  enterPage(after: number, events: readonly EventRecord[]): void {
    events.forEach((event, index) => {
      const seq = after + 1 + index;
      if (event.seq !== seq) throw new Error(`event ${event.seq} came where ${seq} was due`);
      // One by one, as in a moment.
      if (this.known.has(seq - 1)) this.known.add(seq, seq);
      this.enterPast(event);
      this.tell(event);
    });
    this.held.add(after + 1, after + events.length);
    this.touch("cursor");
  }

  private enterPast(event: EventRecord): void {
    if (this.take(event)) this.timeline.enterTick(event.seq);
  }

  /** What was asked for was entered: shows the cursor's moment; where the cursor moved on meanwhile, at least the one nearer to it. */
  arrived(at: number): void {
    if (this.cursor === null) return;
    if (this.known.has(this.cursor)) this.show(this.cursor);
    else if (this.known.has(at)) this.show(at);
  }

  /** Enters one event at its place; true where the picture is another one after it. */
  private take(event: EventRecord): boolean {
    const { data, seq } = event;
    switch (data.kind) {
      case "family":
        enter(this.families, { seq, data });
        this.touch("structure");
        return false;
      case "structure":
        for (const [name, text] of Object.entries(data.groups)) this.framesOf(name).add({ seq, step: data.step, values: decodeFloats(text) });
        for (const [name, text] of Object.entries(data.samples ?? {})) this.drawsOf(name).add({ seq, text });
        this.touch("structure");
        return true;
      case "decisions":
        enter(this.declared, { seq, data });
        this.touch("structure");
        return false;
      case "control":
        enter(this.controls, { seq, data });
        this.touch("end");
        return false;
      case "report":
        enter(this.reports, { seq, data });
        this.touch("end");
        return false;
      case "growth_step":
        this.growthMoments.add({ seq, data });
        this.touch("growth");
        return true;
      case "metrics":
        for (const [name, value] of Object.entries(data.values)) this.point(event.source, name, seq, data.step, data.samples, value);
        this.touch("metrics");
        return false;
      case "candidate_born":
        this.candidates.born(data, seq);
        this.touch("candidates");
        return false;
      case "trial_told":
        this.candidates.tell(data, this.fitnessName(data.metrics ?? {}), seq);
        this.touch("candidates");
        return true;
      case "incumbent":
        enter(this.incumbents, { seq, data });
        enterNumber(this.marks, seq);
        this.touch("candidates");
        return false;
      case "champion":
        this.championMoments.add({ seq, data });
        enterNumber(this.marks, seq);
        this.touch("growth");
        return true;
      case "derived":
        this.derivedMoments.add({ seq, data });
        this.touch("structure");
        return false;
      case "phase_started":
        enter(this.phases, { seq, data });
        this.touch("end");
        return false;
      case "notice":
        enter(this.notices, { seq, data });
        if (BESIDE.has(data.name)) this.touch("metrics");
        return false;
      case "finalist":
        enter(this.finals, { seq, data });
        this.touch("end");
        return false;
      case "model":
      case "assessment":
      case "search_stopped":
      case "run_completed":
        this.touch("end");
        return false;
      case "ops":
        if (data.what === "timing") this.timed(data);
        return false;
      case "population":
        this.rankedBy = { metric: data.metric ?? "", direction: data.direction ?? "maximise" };
        void this.individuals.add(seq, data.generation, data.block, () => this.touch("candidates"));
        return true;
      default:
        this.pictures.add(data, seq, event.source);
        this.touch("structure");
        return true;
    }
  }

  private tell(event: EventRecord): void {
    const finalists = this.finals.filter((item) => item.seq <= event.seq).map((item) => item.data);
    this.words.add(linesOf(event, finalists), event.seq, this.shown);
    this.touch("log");
  }

  private fitnessName(metrics: Record<string, number>): string {
    return this.run?.search_measure.metric ?? this.incumbents.at(-1)?.data.metric ?? scoreKey(metrics, "val") ?? Object.keys(metrics)[0] ?? "val_accuracy";
  }

  /** The texts of genomes that a snapshot left out. */
  describe(texts: readonly { number: number; string: string }[]): void {
    for (const { number, string } of texts) this.candidates.describe(number, string);
    this.touch("candidates");
  }

  private framesOf(name: string): Moments<Frame> {
    let log = this.frames.get(name);
    if (!log) this.frames.set(name, (log = new Moments(FRAME_LIMIT, this.keeper)));
    return log;
  }

  private drawsOf(name: string): Moments<{ seq: number; text: string }> {
    let log = this.draws.get(name);
    if (!log) this.draws.set(name, (log = new Moments(MOST_DRAWS, this.keeper)));
    return log;
  }

  private seriesOf(source: string, name: string): Series {
    let names = this.series.get(source);
    if (!names) this.series.set(source, (names = new Map()));
    let series = names.get(name);
    if (!series) names.set(name, (series = { seqs: [], steps: [], samples: [], values: [] }));
    return series;
  }

  private point(source: string, name: string, seq: number, step: number, samples: number, value: number): void {
    const series = this.seriesOf(source, name);
    const place = lastAtMost(series.seqs, seq);
    const held = series.seqs[place] === seq;
    const [start, gone] = [held ? place : place + 1, held ? 1 : 0];
    series.seqs.splice(start, gone, seq);
    series.steps.splice(start, gone, step);
    series.samples.splice(start, gone, samples);
    series.values.splice(start, gone, value);
    if (series.seqs.length > SERIES_LIMIT) {
      for (const key of ["seqs", "steps", "samples", "values"] as const) series[key] = series[key].filter((_, index) => index % 2 === 0);
    }
  }
}
