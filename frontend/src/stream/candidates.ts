/** All candidates of a run as columns: birth order, what became of them, who their parents are, best so far. */
import type { CandidateColumns } from "../api/types";
import type { CandidateBorn, TrialTold } from "../types/events.gen";
import { added } from "./ordered";
import { lastAtMost } from "./search";

export type CandidateStatus = "open" | "completed" | "failed" | "cancelled";

export class Candidates {
  count = 0;
  /** Fitness, NaN while unknown or failed. */
  values: number[] = [];
  status: CandidateStatus[] = [];
  parents: number[][] = [];
  operators: string[] = [];
  /** Number of the first one with the same genome, where that is known, else its own. */
  sameAs: number[] = [];
  /** Its genome as a text; empty where only a snapshot told of it. */
  strings: string[] = [];
  reasons: string[] = [];
  /** What makes the figures of one say less than they seem to; most have none. */
  warnings = new Map<number, readonly string[]>();
  reusedFrom: (number | null)[] = [];
  bornSeq: number[] = [];
  /** Infinity while not told. */
  toldSeq: number[] = [];
  /** In tell order: number, value and charged samples of every told candidate, and the best value so far. */
  told: { number: number; seq: number; value: number; samples: number; best: number }[] = [];
  /** Those of which it is only known that they were told by `toldSeq`. */
  private guessed = new Set<number>();

  born(data: CandidateBorn, seq: number): void {
    this.set(data.number, data.parents, data.operator, seq);
    this.describe(data.number, data.string);
  }

  /** What a genome is as a text. */
  describe(number: number, string: string): void {
    this.strings[number] = string;
  }

  private set(number: number, parents: number[], operator: string, seq: number): void {
    while (this.count <= number) {
      this.values.push(NaN);
      this.status.push("open");
      this.parents.push([]);
      this.operators.push("");
      this.sameAs.push(this.count);
      this.strings.push("");
      this.reasons.push("");
      this.reusedFrom.push(null);
      this.bornSeq.push(Infinity);
      this.toldSeq.push(Infinity);
      this.count++;
    }
    this.parents[number] = parents;
    this.operators[number] = operator;
    this.bornSeq[number] = seq;
  }

  tell(data: TrialTold, metric: string, seq: number): void {
    if (this.guessed.delete(data.candidate)) this.forget(data.candidate);
    const value = data.status === "completed" ? (data.metrics?.[metric] ?? NaN) : NaN;
    this.settle(data.candidate, data.status, value, data.charged_samples, seq);
    if (data.candidate >= this.count) return;
    this.reasons[data.candidate] = data.reason ?? "";
    if (data.warnings) this.warnings.set(data.candidate, data.warnings);
    this.reusedFrom[data.candidate] = data.reused_from ?? null;
  }

  private settle(number: number, status: CandidateStatus, value: number, samples: number, seq: number): void {
    if (number >= this.count) return;
    this.status[number] = status;
    this.toldSeq[number] = seq;
    if (status === "completed") this.values[number] = value;
    this.record(number, seq, value, samples);
  }

  /** Enters what a snapshot says of many, or the moment `at`, which knows only that they were told by then. */
  restore(columns: CandidateColumns, at?: number): void {
    const [numbers, births, samples] = [added(columns.number), added(columns.born), added(columns.samples)];
    numbers.forEach((number, index) => {
      const seq = births[index] ?? 0;
      this.set(number, columns.parents[index] ?? [], columns.operators[columns.operator[index] ?? -1] ?? "", seq);
      this.sameAs[number] = columns.same_as[index] ?? number;
      this.reusedFrom[number] = columns.reused_from[index] ?? null;
      const told = columns.told[index] ?? 0;
      const status = columns.statuses[columns.status[index] ?? -1] as CandidateStatus | undefined;
      if (told === 0 || !status || status === "open") return;
      const value = columns.value[index] ?? NaN;
      if (at === undefined) this.settle(number, status, value, samples[index] ?? NaN, seq + told);
      else if ((this.toldSeq[number] ?? Infinity) > at) {
        this.forget(number);
        this.settle(number, status, value, NaN, at);
        this.guessed.add(number);
      }
    });
    for (const [number, reason] of Object.entries(columns.reasons)) this.reasons[Number(number)] = reason;
    for (const [number, said] of Object.entries(columns.warnings)) this.warnings.set(Number(number), said);
  }

  /** In the order in which they were told, whenever one hears of it. */
  private record(number: number, seq: number, value: number, samples: number): void {
    const place = this.toldBefore(seq);
    const held = this.told[place - 1];
    if (held?.seq === seq && held.number === number) {
      if (!Number.isNaN(samples)) held.samples = samples;
      return;
    }
    this.told.splice(place, 0, { number, seq, value, samples, best: NaN });
    this.rank(place);
  }

  /** A guess at when it was told is replaced. */
  private forget(number: number): void {
    const place = this.told.findIndex((row) => row.number === number);
    if (place < 0) return;
    this.told.splice(place, 1);
    this.rank(place);
  }

  /** The best so far from `place` on, as far as it changes. */
  private rank(place: number): void {
    for (let index = place; index < this.told.length; index++) {
      const row = this.told[index];
      if (!row) break;
      const before = this.told[index - 1]?.best ?? NaN;
      const best = Number.isNaN(row.value) ? before : Number.isNaN(before) ? row.value : Math.max(before, row.value);
      if (index > place && Object.is(best, row.best)) break;
      row.best = best;
    }
  }

  /** How many were told up to `seq`. */
  toldBefore(seq: number): number {
    return lastAtMost(this.told, seq, (row) => row.seq) + 1;
  }

  /** Number of the best told candidate up to `seq`, or -1. The earlier one wins a tie. */
  bestAt(seq: number): number {
    const until = this.toldBefore(seq);
    const best = this.told[until - 1]?.best ?? NaN;
    if (Number.isNaN(best)) return -1;
    for (let index = 0; index < until; index++) if (this.told[index]?.value === best) return this.told[index]?.number ?? -1;
    return -1;
  }

  /** `number` and all its ancestors, the youngest first; parents are always older, so this ends. */
  ancestry(number: number): number[] {
    const seen = new Set<number>();
    const waiting = [number];
    while (waiting.length > 0) {
      const next = waiting.pop();
      if (next === undefined || next < 0 || next >= this.count || seen.has(next)) continue;
      seen.add(next);
      waiting.push(...(this.parents[next] ?? []));
    }
    return [...seen].sort((a, b) => b - a);
  }
}

/** Mean of the last `window` told values at each tell (failed ones skipped). */
export function movingAverage(values: readonly number[], window: number): number[] {
  const averages: number[] = [];
  const kept: number[] = [];
  let sum = 0;
  for (const value of values) {
    if (!Number.isNaN(value)) {
      kept.push(value);
      sum += value;
      if (kept.length > window) sum -= kept[kept.length - 1 - window] ?? 0;
    }
    averages.push(kept.length === 0 ? NaN : sum / Math.min(kept.length, window));
  }
  return averages;
}
