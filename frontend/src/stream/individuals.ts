/** Individuals of populations that live in memory (one compressed block a generation): what the population picture needs of each. */
import { lastAtMost } from "./timeline";

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

/** A block's JSON: base64 of zlib. Raises where the block is damaged. */
async function inflate(block: string): Promise<Columns> {
  const bytes = Uint8Array.from(atob(block), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return (await new Response(stream).json()) as Columns;
}

export class Individuals {
  generations: Generation[] = [];
  private queue: Promise<void> = Promise.resolve();

  /** Blocks are unpacked one after the other, so that generations stay in order; `done` is called after each. */
  add(seq: number, generation: number, block: string, done: () => void): Promise<void> {
    this.queue = this.queue.then(async () => {
      try {
        const columns = await inflate(block);
        this.generations.push({
          seq,
          generation,
          fitness: Float32Array.from(columns.mean),
          connections: Uint16Array.from(columns.connections),
          hidden: Uint16Array.from(columns.hidden),
        });
        if (this.generations.length > LIMIT) this.generations = this.generations.filter((_, index) => index % 2 === 0);
        done();
      } catch (error) {
        console.error(`generation ${generation} could not be read`, error);
      }
    });
    return this.queue;
  }

  /** How many generations there are up to `seq`. */
  until(seq: number): number {
    return seq === Infinity ? this.generations.length : lastAtMost(this.generations.map((row) => row.seq), seq) + 1;
  }
}
