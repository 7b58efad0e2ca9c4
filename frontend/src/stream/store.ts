/**
 * Everything that is known of one run, fed by ordered events. Plain fields; a version per topic; listeners are told once per frame.
 *
 * Hot data never enters React's state: canvases read the store when they draw, components subscribe to the one topic they show. The
 * moment that is shown (`cursor`) is a sequence number, or null for live; replay and live view read the same fields.
 */
import type { Run, Snapshot } from "../api/types";
import type {
  Champion, ControlScored, DerivedGenome, EventRecord, FamilyGroup, FinalistChosen, GrowthStep, Incumbent, Notice, PhaseStarted, Report,
} from "../types/events.gen";
import { Candidates } from "./candidates";
import { decodeFloats } from "./floats";
import { growthLine } from "./growth";
import { Individuals } from "./individuals";
import { Moments } from "./moments";
import { Pictures } from "./pictures";
import { lastAtMost } from "./search";
import { metric } from "../ui/format";
import { scoreKey, scoreOf } from "../ui/score";
import { Timeline } from "./timeline";

export type Topic = "run" | "connection" | "structure" | "candidates" | "metrics" | "growth" | "log" | "end" | "cursor";
export type Connection = "connecting" | "live" | "catching-up" | "reconnecting" | "offline" | "gone";

export interface Series {
  seqs: number[];
  steps: number[];
  samples: number[];
  values: number[];
}

export interface LogLine {
  seq: number;
  time: number;
  kind: string;
  text: string;
  tone: "" | "best" | "warn" | "bad";
}

/** Structure parameters of one family group at one moment. */
export interface Frame {
  seq: number;
  step: number;
  /** edges x operations, row-major */
  values: Float32Array;
}

export interface At<Data> {
  seq: number;
  data: Data;
}

const FRAME_LIMIT = 4000;
const LOG_LIMIT = 5000;
const CHAMPION_LIMIT = 400;
const SERIES_LIMIT = 20_000;
const GROWTH_LIMIT = 5000;
/** Draws take many times the room of a mean: fewer moments of them are kept. */
const MOST_DRAWS = 200;

function modelScore(metrics: Record<string, number>): string {
  const score = scoreOf(metrics, "test");
  return score === undefined ? "" : `: ${metric(score)}`;
}

export class RunStore {
  run: Run | null = null;
  connection: Connection = "connecting";
  /** How many events are still to come before the view is live. */
  behind = 0;
  lastSeq = 0;
  /** The first seq that is held one by one; before it only a summary is known. */
  firstSeq = 0;
  cursor: number | null = null;

  family: FamilyGroup[] = [];
  frames = new Map<string, Moments<Frame>>();
  /** By family group the draws of its weights, base64 (draws x edges x operations), where the structure is a distribution. */
  draws = new Map<string, Moments<{ seq: number; text: string }>>();
  pictures = new Pictures();
  candidates = new Candidates();
  individuals = new Individuals();
  timeline = new Timeline();
  series = new Map<string, Map<string, Series>>();
  champions: At<Champion>[] = [];
  derived: At<DerivedGenome>[] = [];
  incumbents: At<Incumbent>[] = [];
  phases: At<PhaseStarted>[] = [];
  notices: At<Notice>[] = [];
  finalists: FinalistChosen[] = [];
  controls: At<ControlScored>[] = [];
  reports: At<Report>[] = [];
  growth: At<GrowthStep>[] = [];
  log: LogLine[] = [];
  /** Seqs of new bests, for the time line. */
  marks: number[] = [];

  private versions = new Map<Topic, number>();
  private listeners = new Map<Topic, Set<() => void>>();
  private dirty = new Set<Topic>();
  private scheduled = false;
  private derivedInARow = 0;

  constructor(private readonly schedule: (flush: () => void) => void = (flush) => requestAnimationFrame(flush)) {}

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

  private touch(topic: Topic): void {
    this.dirty.add(topic);
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
    return this.cursor ?? Infinity;
  }

  setCursor(seq: number | null): void {
    const next = seq === null || seq >= this.lastSeq ? null : Math.max(seq, this.firstSeq);
    if (next === this.cursor) return;
    this.cursor = next;
    for (const topic of ["cursor", "structure", "candidates", "metrics", "growth"] as const) this.touch(topic);
  }

  /** The last of an ordered list at the shown moment. */
  now<Data>(list: readonly At<Data>[]): Data | undefined {
    return list[lastAtMost(list, this.shown, (item) => item.seq)]?.data;
  }

  // ---- input

  setRun(run: Run): void {
    // Only the first answer has the whole config, which never changes; the short ones that follow must not lose it.
    this.run = run.config || !this.run?.config ? run : { ...run, config: this.run.config };
    this.touch("run");
    if (run.models.length > 0) this.touch("end");
  }

  setConnection(connection: Connection, behind = this.behind): void {
    if (connection === this.connection && behind === this.behind) return;
    this.connection = connection;
    this.behind = behind;
    this.touch("connection");
  }

  /** Start from a snapshot: what happened before it is known as a summary only. */
  restore(snapshot: Snapshot): void {
    this.setRun(snapshot.run);
    const seq = snapshot.as_of_seq;
    this.lastSeq = seq;
    this.firstSeq = seq;
    if (snapshot.family) this.family = snapshot.family.groups;
    if (snapshot.structure) {
      const { step, groups, samples } = snapshot.structure;
      for (const [name, text] of Object.entries(groups)) this.framesOf(name).add({ seq, step, values: decodeFloats(text) });
      this.addDraws(samples, seq);
    }
    if (snapshot.decisions) this.pictures.decisions = snapshot.decisions.decisions;
    for (const picture of snapshot.pictures ?? []) this.pictures.add(picture, seq, picture.source);
    this.controls.push(...(snapshot.controls ?? []).map((data) => ({ seq, data })));
    this.reports.push(...(snapshot.reports ?? []).map((data) => ({ seq, data })));
    this.growth.push(...(snapshot.growth ?? []).map((data) => ({ seq, data })));
    const rows = snapshot.candidates;
    rows.number.forEach((number, index) =>
      this.candidates.restore(
        number, rows.value[index] ?? null, rows.status[index] ?? "", rows.parents[index] ?? [], rows.operator[index] ?? "",
        rows.genome_hash[index] ?? "", seq,
      ),
    );
    for (const [source, names] of Object.entries(snapshot.metrics)) {
      for (const [name, series] of Object.entries(names)) {
        this.seriesOf(source, name, { seqs: series.steps.map(() => seq), steps: [...series.steps], samples: [...series.samples], values: [...series.values] });
      }
    }
    if (snapshot.champion) this.champions.push({ seq, data: snapshot.champion });
    if (snapshot.derived) this.derived.push({ seq, data: snapshot.derived });
    if (snapshot.incumbent) this.incumbents.push({ seq, data: snapshot.incumbent });
    this.phases.push(...snapshot.phases.map((data) => ({ seq, data })));
    this.notices.push(...snapshot.notices.map((data) => ({ seq, data })));
    this.finalists.push(...snapshot.finalists);
    for (const topic of ["structure", "candidates", "metrics", "growth", "end", "log"] as const) this.touch(topic);
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
    for (const event of events) if (event.seq > this.lastSeq) this.apply(event);
    this.lastSeq = to;
    if (this.behind > 0) this.setConnection(this.connection, Math.max(0, this.behind - (to - from + 1)));
    this.touch("cursor");
    return "applied";
  }

  private apply(event: EventRecord): void {
    this.timeline.add(event.seq, event.time, this.take(event));
  }

  /** Enters one event; true where the picture is another one after it. */
  private take(event: EventRecord): boolean {
    const { data, seq } = event;
    switch (data.kind) {
      case "family":
        this.family = data.groups;
        this.touch("structure");
        return false;
      case "structure":
        for (const [name, text] of Object.entries(data.groups)) this.framesOf(name).add({ seq, step: data.step, values: decodeFloats(text) });
        this.addDraws(data.samples, seq);
        this.touch("structure");
        return true;
      case "decisions":
        this.pictures.decisions = data.decisions;
        this.touch("structure");
        return false;
      case "control":
        this.controls.push({ seq, data });
        this.line(event, `${data.title}: ${data.message}`);
        this.touch("end");
        return false;
      case "report":
        this.reports.push({ seq, data });
        this.line(event, data.message ? `${data.title}: ${data.message}` : data.title);
        this.touch("end");
        return false;
      case "growth_step":
        this.growth.push({ seq, data });
        if (this.growth.length > GROWTH_LIMIT) this.growth.splice(0, this.growth.length - GROWTH_LIMIT);
        this.line(event, growthLine(data), data.accepted ? "best" : "");
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
        if (data.status === "failed") this.line(event, `trial ${data.number} failed: ${data.reason}`, "warn");
        return true;
      case "incumbent":
        this.incumbents.push({ seq, data });
        this.marks.push(seq);
        this.line(event, `new best ${data.value.toFixed(4)}${data.candidate == null ? "" : `, candidate ${data.candidate}`}`, "best");
        this.touch("candidates");
        return false;
      case "champion":
        this.champions.push({ seq, data });
        // The whole graph travels with each champion: keep the newest and thin the old ones.
        if (this.champions.length > CHAMPION_LIMIT) this.champions = this.champions.filter((_, index) => index % 2 === 0 || index > CHAMPION_LIMIT / 2);
        this.marks.push(seq);
        this.line(event, `champion ${data.value.toFixed(4)}, generation ${data.generation}`, "best");
        this.touch("growth");
        return true;
      case "derived":
        this.derived.push({ seq, data });
        if (data.changed_edges > 0) this.derivedLine(event, data.changed_edges);
        this.touch("structure");
        return false;
      case "phase_started":
        this.phases.push({ seq, data });
        this.line(event, `${data.title} started`);
        this.touch("end");
        return false;
      case "notice":
        this.notices.push({ seq, data });
        this.line(event, data.message, "warn");
        return false;
      case "finalist":
        this.finalists.push(data);
        this.line(event, `finishing: ${data.title}`);
        this.touch("end");
        return false;
      case "model":
        this.line(event, `${this.modelName(data.index, data.role)} tested${modelScore(data.metrics)}`, "best");
        this.touch("end");
        return false;
      case "search_stopped":
        this.line(event, `search stopped: ${data.message}`);
        this.touch("end");
        return false;
      case "run_completed":
        this.line(event, data.message);
        this.touch("end");
        return false;
      case "ops":
        // The science event `run_completed` has said it already.
        if (data.what === "completed") return false;
        this.line(event, data.message || data.what, data.what === "failed" || data.what === "diverged" ? "bad" : data.what === "lease_lost" ? "warn" : "");
        return false;
      case "population":
        void this.individuals.add(seq, data.generation, data.block, () => this.touch("candidates"));
        return true;
      default:
        this.pictures.add(data, seq, event.source);
        this.touch("structure");
        return true;
    }
  }

  /** What the log calls a model that was tested. */
  private modelName(index: number, role: string): string {
    if (role === "finalist" && this.finalists.filter((item) => item.role === "finalist").length < 2) return "best architecture";
    return this.finalists.find((item) => item.index === index)?.title ?? (role === "finalist" ? "best architecture" : "random architecture");
  }

  private fitnessName(metrics: Record<string, number>): string {
    return this.run?.best?.metric ?? this.incumbents.at(-1)?.data.metric ?? scoreKey(metrics, "val") ?? Object.keys(metrics)[0] ?? "val_accuracy";
  }

  private framesOf(name: string): Moments<Frame> {
    let log = this.frames.get(name);
    if (!log) this.frames.set(name, (log = new Moments(FRAME_LIMIT)));
    return log;
  }

  private addDraws(samples: Record<string, string> | undefined, seq: number): void {
    for (const [name, text] of Object.entries(samples ?? {})) {
      let log = this.draws.get(name);
      if (!log) this.draws.set(name, (log = new Moments(MOST_DRAWS)));
      log.add({ seq, text });
    }
  }

  private seriesOf(source: string, name: string, series: Series): Series {
    let names = this.series.get(source);
    if (!names) this.series.set(source, (names = new Map()));
    names.set(name, series);
    return series;
  }

  private point(source: string, name: string, seq: number, step: number, samples: number, value: number): void {
    const series = this.series.get(source)?.get(name) ?? this.seriesOf(source, name, { seqs: [], steps: [], samples: [], values: [] });
    series.seqs.push(seq);
    series.steps.push(step);
    series.samples.push(samples);
    series.values.push(value);
    if (series.seqs.length > SERIES_LIMIT) {
      for (const key of ["seqs", "steps", "samples", "values"] as const) series[key] = series[key].filter((_, index) => index % 2 === 0);
    }
  }

  /** One line for a row of changes: at the start of a search the derived architecture changes with nearly every step. */
  private derivedLine(event: EventRecord, edges: number): void {
    const last = this.log.at(-1);
    this.derivedInARow = last?.kind === "derived" ? this.derivedInARow + 1 : 1;
    if (last?.kind === "derived") this.log.pop();
    const text = `derived: ${edges} ${edges === 1 ? "edge" : "edges"} changed`;
    this.line(event, this.derivedInARow > 1 ? `${text}; ${this.derivedInARow} changes in a row` : text);
  }

  private line(event: EventRecord, text: string, tone: LogLine["tone"] = ""): void {
    this.log.push({ seq: event.seq, time: event.time, kind: event.kind, text, tone });
    if (this.log.length > LOG_LIMIT) this.log.splice(0, this.log.length - LOG_LIMIT);
    this.touch("log");
  }
}
