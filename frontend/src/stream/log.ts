/** The run's log in words, as far as it is held: stretches of it, and a line for each gap between two. */
import { exact } from "../ui/format";
import { Ranges } from "./ranges";
import { lastAtMost } from "./search";

export interface LogLine {
  seq: number;
  time: number;
  kind: string;
  text: string;
  tone: "" | "best" | "warn" | "bad" | "gap";
}

/** Lines are short: these take a few megabytes. */
const MOST_LINES = 20_000;
/** So many of the newest stay, whatever is looked at. */
const NEWEST = 500;

export class Log {
  private lines: LogLine[] = [];
  /** The events whose lines are held, also of those that have none. */
  readonly whole = new Ranges();
  private shown: LogLine[] | null = null;

  /** Enters what one event says. `around` is the shown moment: lines far from it go first where there are too many. */
  add(lines: readonly LogLine[], seq: number, around: number): void {
    if (!this.whole.has(seq)) this.hold(seq, seq);
    const place = this.placeOf(seq);
    if (lines.length === 0 || this.lines[place]?.seq === seq) return;
    this.shown = null;
    this.lines.splice(place + 1, 0, ...lines);
    if (this.lines.length > MOST_LINES) this.drop(around);
  }

  /** All of these events are held that are worth a line (of a row of changes at least the last). */
  hold(from: number, to: number): void {
    this.shown = null;
    this.whole.add(from, to);
  }

  private placeOf(seq: number): number {
    return lastAtMost(this.lines, seq, (line) => line.seq);
  }

  /** A tenth goes: the oldest, or where those are looked at, those before the newest. */
  private drop(around: number): void {
    const many = MOST_LINES / 10;
    const atStart = this.placeOf(around) > MOST_LINES / 2;
    const dropped = this.lines.splice(atStart ? 0 : this.lines.length - NEWEST - many, many);
    const [first, last] = [dropped[0], dropped.at(-1)];
    if (first && last) this.whole.remove(first.seq, last.seq);
    // Of an event with several lines some may be left.
    this.lines = this.lines.filter((line) => this.whole.has(line.seq));
  }

  /** How many lines are held. */
  get size(): number {
    return this.lines.length;
  }

  /**
   * What the log shows, in order. One line for a row of changes of the derived architecture: at the start of a search it changes with
   * nearly every step. A line of tone "gap" stands for events whose lines are not held; its seq is the last of them.
   */
  get rows(): readonly LogLine[] {
    return (this.shown ??= this.compose());
  }

  private compose(): LogLine[] {
    const rows: LogLine[] = [];
    let inARow = 0;
    /** The last event that is told of. */
    let told = 0;
    for (const line of this.lines) {
      const from = this.whole.start(line.seq) ?? line.seq;
      if (from > told + 1) {
        rows.push({ seq: from - 1, time: 0, kind: "gap", tone: "gap", text: gapText(told + 1, from - 1) });
        inARow = 0;
      }
      const last = rows.at(-1);
      inARow = line.kind === "derived" ? inARow + 1 : 0;
      if (inARow > 1 && last) rows[rows.length - 1] = { ...line, text: `${line.text}; ${inARow} changes in a row` };
      else rows.push(line);
      told = Math.max(told, this.whole.end(line.seq) ?? line.seq);
    }
    return rows;
  }
}

function gapText(from: number, to: number): string {
  return from === to ? `event ${exact(from)} is not loaded` : `events ${exact(from)} to ${exact(to)} are not loaded: click to load the last of them`;
}
