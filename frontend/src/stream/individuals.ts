/** Individuals of populations that live in memory (one compressed block a generation): what the population picture needs of each. */
import { Moments, type Keeper } from "./moments";

interface Columns {
  mean: number[];
  connections: number[];
  hidden: number[];
}

export interface Generation {
  seq: number;
  generation: number;
  /** Fitness of each individual. */
  fitness: Float32Array;
  connections: Uint16Array;
  hidden: Uint16Array;
}

const LIMIT = 2000;
const AT_ONCE = 64;

/** A block's JSON: base64 of zlib. Raises where the block is damaged. */
async function inflate(block: string): Promise<Columns> {
  const bytes = Uint8Array.from(atob(block), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return (await new Response(stream).json()) as Columns;
}

async function readGeneration({ seq, generation, block }: { seq: number; generation: number; block: string }): Promise<Generation | null> {
  try {
    const { mean, connections, hidden } = await inflate(block);
    return { seq, generation, fitness: Float32Array.from(mean), connections: Uint16Array.from(connections), hidden: Uint16Array.from(hidden) };
  } catch (error) {
    console.error(`generation ${generation} could not be read`, error);
    return null;
  }
}

export class Individuals {
  private readonly held: Moments<Generation>;
  private waiting: { seq: number; generation: number; block: string }[] = [];
  private work: Promise<void> | null = null;

  constructor(keeper?: Keeper) {
    this.held = new Moments(LIMIT, keeper);
  }

  get generations(): readonly Generation[] {
    return this.held.items;
  }

  /** Unpacks in the background, many at once but in order; `done` is called after each lot. Resolves when nothing waits any more. */
  add(seq: number, generation: number, block: string, done: () => void): Promise<void> {
    if (this.held.at(seq)?.seq === seq) return this.settled;
    this.waiting.push({ seq, generation, block });
    this.work ??= this.unpack(done).finally(() => (this.work = null));
    return this.work;
  }

  /** Resolves when everything that was added is there. */
  get settled(): Promise<void> {
    return this.work ?? Promise.resolve();
  }

  private async unpack(done: () => void): Promise<void> {
    // Not before the caller's own turn is over: a page of events comes as one lot.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const lot = this.waiting.splice(0, AT_ONCE);
      for (const row of await Promise.all(lot.map(readGeneration))) if (row) this.held.add(row);
      done();
    }
  }

  /** How many generations there are up to `seq`. */
  until(seq: number): number {
    return this.held.indexAt(seq) + 1;
  }
}
