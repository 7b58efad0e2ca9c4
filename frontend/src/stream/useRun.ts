/** The store of one run for as long as a page shows it, and hooks that read one topic of it. */
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { getMoment, getRunEvents, getSnapshot } from "../api/resources";
import { Past, type Server } from "./past";
import { RunSocket } from "./socket";
import { RunStore, type Topic } from "./store";

export interface RunStoreState {
  store: RunStore;
  past: Past;
  error: unknown;
  ready: boolean;
}

/** The page begins with the server's snapshot, however long the run; the rest of the past comes when it is wanted, or when nobody waits. */
export function useRunStore(runId: string): RunStoreState {
  const { store, past } = useMemo(() => {
    const store = new RunStore();
    return { store, past: new Past(store, serverOf(runId)) };
  }, [runId]);
  const [state, setState] = useState<{ runId: string; error?: unknown; ready: boolean }>({ runId, ready: false });
  useEffect(() => {
    const abort = new AbortController();
    const socket = new RunSocket(runId, store);
    const begin = async () => {
      const snapshot = await getSnapshot(runId, abort.signal);
      if (abort.signal.aborted) return;
      store.restore(snapshot);
      setState({ runId, ready: true });
      past.start();
      socket.start();
    };
    begin().catch((error: unknown) => {
      if (!abort.signal.aborted) setState({ runId, error, ready: false });
    });
    return () => {
      abort.abort();
      past.stop();
      socket.stop();
    };
  }, [runId, store, past]);
  return { store, past, error: state.runId === runId ? state.error : undefined, ready: state.runId === runId && state.ready };
}

const serverOf = (runId: string): Server => ({
  moment: (at, signal) => getMoment(runId, at, signal),
  events: (after, limit, signal) => getRunEvents(runId, after, limit, signal),
});

/** Re-render when `topic` changes, at most once a frame. Returns the topic's version. */
export function useTopic(store: RunStore, topic: Topic): number {
  return useSyncExternalStore(
    (listener) => store.subscribe(topic, listener),
    () => store.version(topic),
  );
}

/** Re-render only when what `select` reads of the store becomes another value; `select` gives a string, number or boolean. */
export function useSelect<Value extends string | number | boolean>(store: RunStore, topics: readonly Topic[], select: (store: RunStore) => Value): Value {
  const key = topics.join(" ");
  const subscribe = useCallback(
    (listener: () => void) => {
      const ends = key.split(" ").map((topic) => store.subscribe(topic as Topic, listener));
      return () => ends.forEach((end) => end());
    },
    [store, key],
  );
  return useSyncExternalStore(subscribe, () => select(store));
}

/** `value`, changing at most once in `pause` milliseconds: for pictures that are costly to prepare. The last value always comes. */
export function useCalm<Value>(value: Value, pause: number): Value {
  const [calm, setCalm] = useState(value);
  const changed = useRef(0);
  useEffect(() => {
    const wait = Math.max(0, changed.current + pause - performance.now());
    const timer = setTimeout(() => {
      changed.current = performance.now();
      setCalm(value);
    }, wait);
    return () => clearTimeout(timer);
  }, [value, pause]);
  return calm;
}
