/** The live pictures beside a family's weights: policies, marginals, colonies, pathways, domains, surrogates, charts, masks. */
import type {
  ChartsFrame, ColonyFrame, DecisionInfo, DecisionsDeclared, DomainsFrame, EventRecord, MarginalsFrame, MaskFrame, PathwaysFrame, PolicyFrame,
} from "../types/events.gen";
import { decodeFloats } from "./floats";
import { Moments } from "./moments";

/** Frames of these kinds may be thinned by the server: each is a whole picture. */
export const PICTURE_KINDS = ["policy", "marginals", "colony", "pathways", "domains", "surrogate", "charts", "mask"] as const;

/** A policy, its probabilities as numbers: the vectors of all decisions, one behind the other. */
export type Policy = Omit<PolicyFrame, "kind" | "probabilities"> & { probabilities: Float32Array };
export type Marginals = Omit<MarginalsFrame, "kind" | "counts" | "means"> & { counts: Float32Array; means: Float32Array };
export type Colony = ColonyFrame;
export type Pathways = PathwaysFrame;
export interface DomainPath {
  name: string;
  /** layers x modules */
  probabilities: Float32Array;
  path: number[];
  values: Record<string, number>;
}
export type Domains = Omit<DomainsFrame, "kind" | "domains"> & { domains: DomainPath[] };
export interface Surrogate {
  step: number;
  means: Float32Array;
  deviations: Float32Array;
  chosen: number[];
  observed: Float32Array;
  predicted: Float32Array;
  values: Record<string, number>;
}

export type PictureEvent = Extract<EventRecord["data"], { kind: (typeof PICTURE_KINDS)[number] }> | DecisionsDeclared;

export class Pictures {
  decisions: DecisionInfo[] = [];
  /** By data set where each has a controller of its own; null is the only one. */
  policies = new Map<number | null, Moments<Policy>>();
  marginals = new Moments<Marginals>();
  colony = new Moments<Colony>(600);
  pathways = new Moments<Pathways>();
  domains = new Moments<Domains>();
  surrogate = new Moments<Surrogate>();
  /** By source (`phase:0`, `final:0`, ...): each says all its charts every time. */
  charts = new Map<string, Moments<ChartsFrame>>();
  masks = new Map<string, Moments<MaskFrame>>();

  /** The latest frame of each source at `seq`, the source that spoke last first. */
  static latest<Data>(logs: ReadonlyMap<string, Moments<Data>>, seq: number): { source: string; data: Data }[] {
    const found: { source: string; data: Data; at: number }[] = [];
    for (const [source, log] of logs) {
      const item = log.itemAt(seq);
      if (item) found.push({ source, data: item.data, at: item.seq });
    }
    return found.sort((a, b) => b.at - a.at);
  }

  add(data: PictureEvent, seq: number, source = ""): void {
    switch (data.kind) {
      case "decisions":
        this.decisions = data.decisions;
        return;
      case "policy": {
        const domain = data.domain ?? null;
        let log = this.policies.get(domain);
        if (!log) this.policies.set(domain, (log = new Moments()));
        log.add(seq, { ...data, domain, probabilities: decodeFloats(data.probabilities) });
        return;
      }
      case "marginals":
        this.marginals.add(seq, { step: data.step, counts: decodeFloats(data.counts), means: decodeFloats(data.means) });
        return;
      case "colony":
        this.colony.add(seq, data);
        return;
      case "pathways":
        this.pathways.add(seq, data);
        return;
      case "domains": {
        const domains = data.domains.map((item) => ({ ...item, probabilities: decodeFloats(item.probabilities) }));
        this.domains.add(seq, { step: data.step, layers: data.layers, modules: data.modules, values: data.values, domains });
        return;
      }
      case "surrogate": {
        const { step, chosen, values } = data;
        const [means, deviations, observed, predicted] = [data.means, data.deviations, data.observed, data.predicted].map(decodeFloats) as [Float32Array, Float32Array, Float32Array, Float32Array];
        this.surrogate.add(seq, { step, chosen, values, means, deviations, observed, predicted });
        return;
      }
      case "charts":
        logOf(this.charts, source).add(seq, data);
        return;
      case "mask":
        logOf(this.masks, source).add(seq, data);
        return;
    }
  }
}

/** A frame of charts or a mask may have tens of kilobytes: fewer are kept of them than of the others. */
const MOST_LARGE_FRAMES = 300;

function logOf<Data>(logs: Map<string, Moments<Data>>, source: string): Moments<Data> {
  let log = logs.get(source);
  if (!log) logs.set(source, (log = new Moments(MOST_LARGE_FRAMES)));
  return log;
}
