/** Images of an auto-encoder, unpacked: examples above what comes back of them, and a plane of the code space. */
import { once } from "../stream/pictures";
import type { DecodedFrame } from "../types/events.gen";

export interface Decoded {
  examples: Uint8Array[];
  decoded: Uint8Array[];
  space: Uint8Array[];
}

function images(text: string, size: number): Uint8Array[] {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return Array.from({ length: Math.floor(bytes.length / Math.max(size, 1)) }, (_, number) => bytes.subarray(number * size, (number + 1) * size));
}

export const decodedOf = once((frame: DecodedFrame): Decoded => {
  const size = frame.rows * frame.columns;
  return { examples: images(frame.examples, size), decoded: images(frame.decoded, size), space: images(frame.space, size) };
});

/** Root of the mean squared difference of an example and what comes back of it, in the data's units. */
export function lostOf({ low, high }: Pick<DecodedFrame, "low" | "high">, example: Uint8Array, back: Uint8Array): number {
  const sum = example.reduce((total, value, pixel) => total + (value - (back[pixel] ?? 0)) ** 2, 0);
  return (Math.sqrt(sum / Math.max(example.length, 1)) / 255) * (high - low);
}

/** What an image of the code space decodes: one value for each latent that spans it. */
export function codeAt({ values, down }: Pick<DecodedFrame, "values" | "down">, place: number): { across: number; down: number | null } {
  const side = Math.max(values.length, 1);
  return { across: values[place % side] ?? 0, down: down ? (values[Math.floor(place / side)] ?? 0) : null };
}
