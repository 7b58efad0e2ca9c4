/** The store of one run for as long as a page shows it, and hooks that read one topic of it. */
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { getRun, getRunEvents, getSnapshot } from "../api/resources";
import { RunSocket } from "./socket";
import { RunStore, type Topic } from "./store";

/** Up to so many events a page replays the whole run one by one; beyond it starts from the server's snapshot. */
const REPLAY_LIMIT = 20_000;

const PAGE = 1000;

/** Everything up to `last`, every structure frame too: the socket would leave most of them out on its way to the present. */
async function replay(runId: string, store: RunStore, last: number, signal: AbortSignal): Promise<void> {
  while (store.lastSeq < last) {
    const from = store.lastSeq + 1;
    const page = await getRunEvents(runId, store.lastSeq, PAGE, signal);
    const to = page.events.at(-1)?.seq;
    if (signal.aborted || to === undefined) return;
    store.applyRange(from, to, page.events);
    store.setConnection("catching-up", Math.max(0, last - to));
  }
}

export function useRunStore(runId: string): { store: RunStore; error: unknown; ready: boolean } {
  const store = useMemo(() => {
    void runId; // another run is another store
    return new RunStore();
  }, [runId]);
  const [state, setState] = useState<{ runId: string; error?: unknown; ready: boolean }>({ runId, ready: false });
  useEffect(() => {
    const abort = new AbortController();
    const socket = new RunSocket(runId, store);
    const begin = async () => {
      const run = await getRun(runId, abort.signal);
      if (run.last_seq > REPLAY_LIMIT) store.restore(await getSnapshot(runId, abort.signal));
      else {
        store.setRun(run);
        await replay(runId, store, run.last_seq, abort.signal);
      }
      if (abort.signal.aborted) return;
      setState({ runId, ready: true });
      socket.start();
    };
    begin().catch((error: unknown) => {
      if (!abort.signal.aborted) setState({ runId, error, ready: false });
    });
    return () => {
      abort.abort();
      socket.stop();
    };
  }, [runId, store]);
  return { store, error: state.runId === runId ? state.error : undefined, ready: state.runId === runId && state.ready };
}

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
