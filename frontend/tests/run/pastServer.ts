/** A server's answers about a run of recorded events, made from their meaning alone: what a snapshot, a moment and a page of events hold. */
import type { CandidateColumns, EventPage, Moment, Run, Snapshot, Track } from "../../src/api/types";
import { Timeline } from "../../src/stream/timeline";
import type { EventRecord } from "../../src/types/events.gen";
import { run } from "./events";

type Data = EventRecord["data"];
type Kind = Data["kind"];
type Of<K extends Kind> = Extract<Data, { kind: K }>;

/** Of these only the newest matters. */
const NEWEST: ReadonlySet<Kind> = new Set<Kind>([
  "family", "decisions", "structure", "champion", "derived", "incumbent", "population", "policy", "marginals", "plane", "colony", "pathways", "domains", "surrogate", "charts", "mask", "decoded",
]);
const VISIBLE: ReadonlySet<Kind> = new Set<Kind>(["structure", "policy", "marginals", "plane", "colony", "pathways", "domains", "surrogate", "charts", "mask", "decoded", "growth_step", "trial_told", "champion", "population"]);
const TOLD: ReadonlySet<Kind> = new Set<Kind>(["control", "report", "growth_step", "incumbent", "champion", "derived", "phase_started", "notice", "finalist", "model", "search_stopped", "run_completed", "ops", "trial_told"]);

const deltas = (numbers: readonly number[]): number[] => numbers.map((number, index) => number - (numbers[index - 1] ?? 0));
const upTo = (events: readonly EventRecord[], at: number) => events.filter((event) => event.seq <= at);
const ofKind = <K extends Kind>(events: readonly EventRecord[], kind: K) =>
  events.flatMap(({ seq, data }) => (data.kind === kind ? [{ seq, data: data as Of<K> }] : []));

export function momentOf(events: readonly EventRecord[], at: number): Moment {
  const newest = new Map<string, EventRecord>();
  for (const event of upTo(events, at)) {
    if (!NEWEST.has(event.data.kind)) continue;
    const source = event.kind === "charts" || event.kind === "mask" ? event.source : "";
    newest.set(`${event.kind} ${source} ${"domain" in event.data ? String(event.data.domain) : ""}`, event);
  }
  return { at, events: [...newest.values()].sort((a, b) => a.seq - b.seq), candidates: null };
}

export function candidatesOf(events: readonly EventRecord[], metric: string): CandidateColumns {
  const births = ofKind(events, "candidate_born");
  const told = new Map(ofKind(events, "trial_told").map((item) => [item.data.candidate, item]));
  const rows = births.map(({ seq, data }) => ({ seq, data, told: told.get(data.number) }));
  const statuses = ["open", "completed", "failed", "cancelled"];
  const operators = [...new Set(births.map((birth) => birth.data.operator))];
  let charged = 0;
  return {
    number: deltas(births.map((birth) => birth.data.number)), born: deltas(births.map((birth) => birth.seq)),
    told: rows.map(({ seq, told }) => (told ? told.seq - seq : 0)),
    value: rows.map(({ told }) => (told?.data.status === "completed" ? (told.data.metrics?.[metric] ?? null) : null)),
    samples: deltas(rows.map(({ told }) => (charged = told?.data.charged_samples ?? charged))),
    statuses, status: rows.map(({ told }) => statuses.indexOf(told?.data.status ?? "open")),
    operators, operator: births.map((birth) => operators.indexOf(birth.data.operator)),
    parents: births.map((birth) => birth.data.parents),
    same_as: births.map(({ data }) => {
      const first = births.find((birth) => birth.data.genome_hash === data.genome_hash)?.data.number;
      return first === undefined || first === data.number ? null : first;
    }),
    reused_from: rows.map(({ told }) => told?.data.reused_from ?? null),
    reasons: Object.fromEntries(rows.flatMap(({ data, told }) => (told?.data.reason ? [[data.number, told.data.reason]] : []))),
    warnings: Object.fromEntries(rows.flatMap(({ data, told }) => (told?.data.warnings ? [[data.number, told.data.warnings]] : []))),
  };
}

/** The newest `lines` that a log tells of; every `every`-th tick, and point of a curve. */
export function snapshotOf(all: readonly EventRecord[], at: number, { lines = 5, every = 3, of = run() as Run } = {}): Snapshot {
  const events = upTo(all, at);
  const thin = <Item>(items: readonly Item[]) => items.filter((_, place) => place % every === 0 || place === items.length - 1);
  const line = new Timeline();
  for (const event of events) line.add(event.seq, event.time, VISIBLE.has(event.data.kind));
  const tracks = new Map<string, { source: string; names: string[]; rows: { seq: number; data: Of<"metrics"> }[] }>();
  for (const { seq, data, source } of events) {
    if (data.kind !== "metrics") continue;
    const names = Object.keys(data.values).sort();
    const key = `${source} ${names.join()}`;
    const track = tracks.get(key) ?? { source, names, rows: [] };
    tracks.set(key, track);
    track.rows.push({ seq, data });
  }
  const curves = [...tracks.values()].map(({ source, names, rows: whole }): Track => {
    const rows = thin(whole);
    return {
      source, names, seqs: deltas(rows.map((row) => row.seq)), steps: deltas(rows.map((row) => row.data.step)), samples: deltas(rows.map((row) => row.data.samples)),
      values: names.map((name) => rows.map((row) => row.data.values[name] ?? null)),
    };
  });
  const places = thin(line.seqs.map((_, place) => place));
  return {
    as_of_seq: at, run: { ...of, last_seq: at }, events: momentOf(events, at).events, curves,
    timeline: {
      seqs: deltas(places.map((place) => line.seqs[place]!)), at: places.map((place) => line.at[place]!), time: events.at(-1)?.time ?? null,
      ticks: deltas(thin(line.ticks)), marks: deltas(events.filter((event) => event.kind === "incumbent" || event.kind === "champion").map((event) => event.seq)),
    },
    candidates: candidatesOf(events, of.search_measure.metric),
    incumbents: ofKind(events, "incumbent").map(({ seq, data }) => ({ seq, data: { ...data, genome: {} } })),
    phases: ofKind(events, "phase_started"), notices: ofKind(events, "notice"), finalists: ofKind(events, "finalist"), controls: ofKind(events, "control"),
    reports: ofKind(events, "report"), growth: ofKind(events, "growth_step"), population: thin(ofKind(events, "population")),
    log: lines === 0 ? [] : events.filter((event) => TOLD.has(event.data.kind)).slice(-lines),
  };
}

export function pageOf(events: readonly EventRecord[], after: number, limit: number): EventPage {
  const page = events.filter((event) => event.seq > after).slice(0, limit);
  return { events: page, last_seq: events.length, has_more: (page.at(-1)?.seq ?? 0) < events.length };
}
