/** The history of one family group's structure parameters, bounded: beyond `capacity` every second older frame is dropped. */

export interface Frame {
  seq: number;
  step: number;
  /** edges x operations, row-major */
  values: Float32Array;
}

export class FrameLog {
  frames: Frame[] = [];

  constructor(readonly capacity = 4000) {}

  /** Frames come in order; one that is not newer than the last is ignored. */
  add(frame: Frame): void {
    const last = this.frames.at(-1);
    if (last && frame.seq <= last.seq) return;
    this.frames.push(frame);
    if (this.frames.length > this.capacity) {
      const newest = this.frames.length - 1;
      this.frames = this.frames.filter((_, index) => index % 2 === 0 || index === newest);
    }
  }

  /** Index of the last frame with seq <= `seq`, or -1. */
  indexAt(seq: number): number {
    let low = 0;
    let high = this.frames.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.frames[middle]?.seq ?? Infinity) <= seq) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  at(seq: number): Frame | undefined {
    return this.frames[this.indexAt(seq)];
  }
}
