/** "normal:3" in the address: the pinned edge. */
export interface Pin {
  group: string;
  edge: number;
}

export function parsePin(text: string | null): Pin | null {
  const found = text?.match(/^(\w+):(\d+)$/);
  return found ? { group: found[1] ?? "", edge: Number(found[2]) } : null;
}
