/** Events that the engine's own classes wrote (scripts/picture_fixtures.py). */
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
