/** Reading what a snapshot says of the newest moment. */
import type { EventRecord } from "../types/events.gen";
import type { Snapshot } from "./types";

type Data = EventRecord["data"];
type OfKind<Kind extends Data["kind"]> = EventRecord & { data: Extract<Data, { kind: Kind }> };

/** The events of one kind: one, or where several sources say it the newest of each, in order. */
export function newest<Kind extends Data["kind"]>({ events }: Snapshot, kind: Kind): OfKind<Kind>[] {
  return events.filter((event): event is OfKind<Kind> => event.data.kind === kind);
}
