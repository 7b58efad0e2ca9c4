import { useCallback, useEffect, useRef, useState } from "react";

export interface Resource<Data> {
  data: Data | undefined;
  error: unknown;
  /** True until the first answer; a repeated load keeps the old data on the screen. */
  loading: boolean;
  reload: () => void;
  /** Put a newer value in place, for example the answer of an action. */
  set: (data: Data) => void;
}

/**
 * Load something when a component appears and again whenever `key` changes; `key` null loads nothing.
 *
 * `every` (milliseconds) repeats the load while the page is visible. Answers that come after the key has changed are dropped.
 */
export function useResource<Data>(
  key: string | null,
  load: (signal: AbortSignal) => Promise<Data>,
  every = 0,
): Resource<Data> {
  const [state, setState] = useState<{ key: string | null; data?: Data; error?: unknown }>({ key: null });
  const [round, setRound] = useState(0);
  const loader = useRef(load);
  useEffect(() => {
    loader.current = load;
  });

  useEffect(() => {
    if (key === null) return;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const again = () => {
      if (every > 0 && !abort.signal.aborted) timer = setTimeout(run, every);
    };
    const run = () => {
      if (document.hidden) return again();
      loader
        .current(abort.signal)
        .then((data) => {
          if (!abort.signal.aborted) setState({ key, data });
        })
        .catch((error: unknown) => {
          if (abort.signal.aborted) return;
          setState((old) => (old.key === key && old.data !== undefined ? { key, data: old.data, error } : { key, error }));
        })
        .finally(again);
    };
    run();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [key, every, round]);

  const reload = useCallback(() => setRound((value) => value + 1), []);
  const set = useCallback((data: Data) => setState({ key, data }), [key]);
  const fresh = state.key === key;
  const data = fresh ? state.data : undefined;
  const error = fresh ? state.error : undefined;
  return { data, error, loading: key !== null && data === undefined && error === undefined, reload, set };
}
