/** Events that the engine's own classes wrote (scripts/picture_fixtures.py), and pictures as the run page's panels show them. */
import type { ReactNode } from "react";
import type { PictureProps } from "../../src/pictures/picture";
import { PICTURES } from "../../src/pictures/table";
import type { RunStore } from "../../src/stream/store";
import type { EventRecord } from "../../src/types/events.gen";
import records from "../fixtures/pictures.json";

export const engineEvents = records as unknown as EventRecord[];

type Data = EventRecord["data"];

/** All of one kind, with their sequence numbers. */
export function ofKind<Kind extends Data["kind"]>(kind: Kind): { seq: number; source: string; data: Extract<Data, { kind: Kind }> }[] {
  return engineEvents.flatMap((event) => (event.data.kind === kind ? [{ seq: event.seq, source: event.source, data: event.data as Extract<Data, { kind: Kind }> }] : []));
}

/** A canvas that takes every call: happy-dom draws nothing. */
export function stubCanvas(): void {
  HTMLCanvasElement.prototype.getContext = (() =>
    new Proxy({}, { get: (_, name) => (name === "measureText" ? () => ({ width: 10 }) : () => undefined), set: () => true })) as never;
}

/** What a panel gives a picture where nothing is pinned. */
export function propsOf(store: RunStore, changes: Partial<PictureProps> = {}): PictureProps {
  return { run: store.run!, store, part: "", pin: null, onPin: () => undefined, candidate: null, onCandidate: () => undefined, ...changes };
}

/** A picture of the table, by its id. */
export function pictureOf(id: string, store: RunStore, changes: Partial<PictureProps> = {}): ReactNode {
  const found = PICTURES.find((picture) => picture.id === id);
  if (!found) throw new Error(`there is no picture ${id}`);
  return found.view(propsOf(store, changes));
}
