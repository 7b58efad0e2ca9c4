/** The replay clock of a page, and the shown moment in the address (`?t=SEQ`), so that a copied link shows the same picture. */
import { useEffect, useMemo } from "react";
import { useQueryState } from "../app/router";
import { ReplayClock } from "../stream/clock";
import type { RunStore } from "../stream/store";

/** The address follows when the moment has stood still for so long. */
const SETTLE_MS = 300;

export function useReplay(store: RunStore, ready: boolean): ReplayClock {
  const clock = useMemo(() => new ReplayClock(store), [store]);
  const [moment, setMoment] = useQueryState("t");
  useEffect(() => () => clock.pause(), [clock]);
  useEffect(() => {
    if (!ready) return;
    const asked = Number(new URLSearchParams(window.location.search).get("t"));
    if (Number.isInteger(asked) && asked > 0) clock.seek(asked);
  }, [ready, clock]);
  useEffect(() => {
    if (!ready) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const end = store.subscribe("cursor", () => {
      clearTimeout(timer);
      const text = store.cursor === null ? null : String(store.cursor);
      if (clock.playing || text === moment) return;
      timer = setTimeout(() => setMoment(text), SETTLE_MS);
    });
    return () => {
      clearTimeout(timer);
      end();
    };
  }, [store, clock, ready, moment, setMoment]);
  return clock;
}
