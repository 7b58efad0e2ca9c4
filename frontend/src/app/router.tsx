/** Path and query of the address bar as state: the whole of what a link must carry to show the same screen again. */
import { useCallback, useMemo, useSyncExternalStore, type AnchorHTMLAttributes, type MouseEvent } from "react";

const listeners = new Set<() => void>();

function notify(): void {
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) window.addEventListener("popstate", notify);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) window.removeEventListener("popstate", notify);
  };
}

const address = () => window.location.pathname + window.location.search;

/** Go to an address of this application. `replace` leaves no step in the history. */
export function navigate(to: string, options: { replace?: boolean } = {}): void {
  if (to === address()) return;
  const before = window.location.pathname;
  if (options.replace) window.history.replaceState(null, "", to);
  else window.history.pushState(null, "", to);
  notify();
  if (window.location.pathname !== before) window.scrollTo(0, 0);
}

export function useLocation(): { path: string; query: URLSearchParams } {
  const now = useSyncExternalStore(subscribe, address);
  return useMemo(() => {
    const [path = "/", search = ""] = now.split("?");
    return { path, query: new URLSearchParams(search) };
  }, [now]);
}

/**
 * One value of the query string as state. Setting it replaces the history entry (so Back leaves the page, not the last tab);
 * "" and null remove it.
 */
export function useQueryState(name: string): [string | null, (value: string | null) => void] {
  const { query } = useLocation();
  const set = useCallback(
    (value: string | null) => {
      const params = new URLSearchParams(window.location.search);
      if (value === null || value === "") params.delete(name);
      else params.set(name, value);
      const text = params.toString();
      navigate(window.location.pathname + (text ? `?${text}` : ""), { replace: true });
    },
    [name],
  );
  return [query.get(name), set];
}

export interface LinkProps extends AnchorHTMLAttributes<HTMLAnchorElement> {
  to: string;
}

/** A link inside the application: an ordinary anchor (middle click and copy work) without the page load. */
export function Link({ to, onClick, ...rest }: LinkProps) {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (event.defaultPrevented || !plain) return;
    event.preventDefault();
    navigate(to);
  };
  return <a href={to} onClick={follow} {...rest} />;
}
