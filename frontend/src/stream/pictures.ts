/**
 * The live pictures: every event that is a whole picture of a moment, kept as it came. A kind of event that the store knows nothing
 * else of is kept here, so that a new picture needs no line in the store; its own file decodes it (`once`).
 */
import type { EventRecord } from "../types/events.gen";
import { Moments, type Keeper, type Seen } from "./moments";

type Data = EventRecord["data"];

/** An event of one kind with its number. */
export type FrameOf<Kind extends Data["kind"]> = Seen<Extract<Data, { kind: Kind }>>;

/** Every source (`phase:0`, `final:0`, ...) says all of these every time: another source does not replace them. */
const OF_A_SOURCE: ReadonlySet<string> = new Set(["charts", "mask"]);

/** Frames of these have tens of kilobytes: fewer are kept. */
const CAPACITIES: Readonly<Record<string, number>> = { colony: 600, charts: 300, mask: 300, decoded: 300, coevolution: 300, widths: 300 };

export class Pictures {
  private logs = new Map<string, Map<string, Moments<Seen<Data>>>>();

  constructor(private readonly keeper?: Keeper) {}

  add(data: Data, seq: number, source = ""): void {
    const key = OF_A_SOURCE.has(data.kind) ? source : "domain" in data && data.domain != null ? String(data.domain) : "";
    let logs = this.logs.get(data.kind);
    if (!logs) this.logs.set(data.kind, (logs = new Map()));
    let log = logs.get(key);
    if (!log) logs.set(key, (log = new Moments(CAPACITIES[data.kind], this.keeper)));
    log.add({ ...data, seq });
  }

  has(kind: Data["kind"]): boolean {
    return this.logs.has(kind);
  }

  /** The histories of one kind: by source (charts, masks), by data set where each has its own, else one under "". */
  of<Kind extends Data["kind"]>(kind: Kind): ReadonlyMap<string, Moments<FrameOf<Kind>>> {
    return (this.logs.get(kind) ?? new Map()) as ReadonlyMap<string, Moments<FrameOf<Kind>>>;
  }

  /** The latest frame of each history at `seq`, the one that spoke last first. */
  latest<Kind extends Data["kind"]>(kind: Kind, seq: number): { source: string; data: FrameOf<Kind> }[] {
    const found: { source: string; data: FrameOf<Kind> }[] = [];
    for (const [source, log] of this.of(kind)) {
      const data = log.at(seq);
      if (data) found.push({ source, data });
    }
    return found.sort((a, b) => b.data.seq - a.data.seq);
  }

  /** The latest frame of a kind at `seq` (Infinity = the newest). */
  at<Kind extends Data["kind"]>(kind: Kind, seq: number): FrameOf<Kind> | undefined {
    return this.latest(kind, seq)[0]?.data;
  }

  /** The whole history of a kind that has one. */
  items<Kind extends Data["kind"]>(kind: Kind): readonly FrameOf<Kind>[] {
    return this.of(kind).get("")?.items ?? [];
  }
}

/** `make`, called once for each object: what a frame's arrays decode to. */
export function once<From extends object, To>(make: (from: From) => To): (from: From) => To {
  const made = new WeakMap<From, { value: To }>();
  return (from) => {
    let known = made.get(from);
    if (!known) made.set(from, (known = { value: make(from) }));
    return known.value;
  };
}
