/** All candidates of a run as columns: birth order, what became of them, who their parents are, best so far. */
import type { CandidateBorn, TrialTold } from "../types/events.gen";
import { lastAtMost } from "./search";

export type CandidateStatus = "open" | "completed" | "failed" | "cancelled";

export class Candidates {
  count = 0;
  /** Fitness, NaN while unknown or failed. */
  values: number[] = [];
  status: CandidateStatus[] = [];
  parents: number[][] = [];
  operators: string[] = [];
  hashes: string[] = [];
  strings: string[] = [];
  reasons: string[] = [];
  reusedFrom: (number | null)[] = [];
  bornSeq: number[] = [];
  /** Infinity while not told. */
  toldSeq: number[] = [];
  /** In tell order: number, value and charged samples of every told candidate, and the best value so far. */
  told: { number: number; seq: number; value: number; samples: number; best: number }[] = [];

  born(data: CandidateBorn, seq: number): void {
    this.set(data.number, {
      parents: data.parents, operator: data.operator, hash: data.genome_hash, string: data.string, seq,
    });
  }

  private set(number: number, row: { parents: number[]; operator: string; hash: string; string: string; seq: number }): void {
    while (this.count <= number) {
      this.values.push(NaN);
      this.status.push("open");
      this.parents.push([]);
      this.operators.push("");
      this.hashes.push("");
      this.strings.push("");
      this.reasons.push("");
      this.reusedFrom.push(null);
      this.bornSeq.push(Infinity);
      this.toldSeq.push(Infinity);
      this.count++;
    }
    this.parents[number] = row.parents;
    this.operators[number] = row.operator;
    this.hashes[number] = row.hash;
    this.strings[number] = row.string;
    this.bornSeq[number] = row.seq;
  }

  tell(data: TrialTold, metric: string, seq: number): void {
    const number = data.candidate;
    if (number >= this.count) return;
    this.status[number] = data.status;
    this.reasons[number] = data.reason ?? "";
    this.reusedFrom[number] = data.reused_from ?? null;
    this.toldSeq[number] = seq;
    const value = data.metrics?.[metric] ?? NaN;
    if (data.status === "completed") this.values[number] = value;
    this.record(number, seq, data.status === "completed" ? value : NaN, data.charged_samples);
  }

  /** A candidate as a snapshot gives it: already told, at the snapshot's seq. */
  restore(number: number, value: number | null, status: string, parents: number[], operator: string, hash: string, seq: number): void {
    this.set(number, { parents, operator, hash, string: "", seq });
    const known = status === "completed" || status === "failed" || status === "cancelled";
    if (!known) return;
    this.status[number] = status;
    this.toldSeq[number] = seq;
    if (value !== null && status === "completed") this.values[number] = value;
    this.record(number, seq, this.values[number] ?? NaN, NaN);
  }

  private record(number: number, seq: number, value: number, samples: number): void {
    const before = this.told.at(-1)?.best ?? NaN;
    const best = Number.isNaN(value) ? before : Number.isNaN(before) ? value : Math.max(before, value);
    this.told.push({ number, seq, value, samples, best });
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
