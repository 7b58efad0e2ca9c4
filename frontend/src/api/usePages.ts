import { useCallback, useState } from "react";
import { cursorOf } from "./client";
import type { Page } from "./types";
import { useResource } from "./useResource";

export interface Pages<Item> {
  items: Item[];
  loading: boolean;
  error: unknown;
  /** Whether there are further pages. */
  more: boolean;
  loadingMore: boolean;
  loadMore: () => void;
  reload: () => void;
}

/** A keyset list: the first page is loaded again every `every` milliseconds, further ones when asked for. */
export function usePages<Item extends { id: string }>(
  key: string,
  load: (cursor: string | null, signal?: AbortSignal) => Promise<Page<Item>>,
  every = 0,
): Pages<Item> {
  const first = useResource(key, (signal) => load(null, signal), every);
  const [rest, setRest] = useState<{ key: string; items: Item[]; next: string | null; error?: unknown } | null>(null);
  const [loadingMore, setLoadingMore] = useState(false);
  const further = rest?.key === key ? rest : null;
  const next = further ? further.next : cursorOf(first.data?.next ?? null);

  const loadMore = useCallback(() => {
    if (next === null) return;
    setLoadingMore(true);
    load(next)
      .then(
        (page) => setRest((old) => ({ key, items: [...(old?.key === key ? old.items : []), ...page.results], next: cursorOf(page.next) })),
        (error: unknown) => setRest((old) => ({ key, items: old?.key === key ? old.items : [], next, error })),
      )
      .finally(() => setLoadingMore(false));
  }, [key, load, next]);

  const reload = useCallback(() => {
    setRest(null);
    first.reload();
  }, [first]);

  // Something new on the first page pushes its last rows onto the next one: those would then stand here twice.
  const shown = first.data?.results ?? [];
  const ids = new Set(shown.map((item) => item.id));
  const items = [...shown, ...(further?.items ?? []).filter((item) => !ids.has(item.id))];
  return { items, loading: first.loading, error: first.error ?? further?.error, more: next !== null, loadingMore, loadMore, reload };
}
