/**
 * Keyboard shortcuts: each page says its own while it is shown, and the help on `?` lists what holds now.
 *
 * `keys` is written as people read it: "?", "Space", "Shift+ArrowLeft", "Ctrl+Enter" (also taken as Cmd+Enter), "g e" (one after the
 * other). An entry without `run` is listed only: its page handles the key itself.
 */
import { useEffect, useRef, useSyncExternalStore } from "react";

export interface Shortcut {
  keys: string;
  what: string;
  run?: () => void;
}

export interface ShortcutGroup {
  title: string;
  shortcuts: readonly Shortcut[];
}

const SEQUENCE_MS = 900;

let groups: readonly ShortcutGroup[] = [];
const listeners = new Set<() => void>();
let prefix = "";
let prefixTime = 0;

function change(next: readonly ShortcutGroup[]): void {
  groups = next;
  for (const listener of listeners) listener();
}

/** "Ctrl+Enter" for the event, with Cmd counted as Ctrl; Shift is named only for keys that have no shifted character. */
export function keyName(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey">): string {
  const key = event.key === " " ? "Space" : event.key;
  const named = key.length > 1;
  return [event.ctrlKey || event.metaKey ? "Ctrl" : "", event.altKey ? "Alt" : "", event.shiftKey && named ? "Shift" : "", key]
    .filter(Boolean)
    .join("+");
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function onKeyDown(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  const name = keyName(event);
  if (isTyping(event.target) && !name.startsWith("Ctrl+")) return;
  if (document.querySelector("dialog[open]")) return;
  // Space and Enter belong to the focused button or link.
  if ((name === "Space" || name === "Enter") && event.target instanceof HTMLElement && event.target.closest("button,a,summary")) return;
  const all = groups.flatMap((group) => group.shortcuts).filter((shortcut) => shortcut.run);
  const sequence = prefix && performance.now() - prefixTime < SEQUENCE_MS ? `${prefix} ${name}` : "";
  const hit = all.find((shortcut) => shortcut.keys === sequence) ?? all.find((shortcut) => shortcut.keys === name);
  prefix = "";
  if (hit) {
    event.preventDefault();
    hit.run?.();
  } else if (all.some((shortcut) => shortcut.keys.startsWith(`${name} `))) {
    prefix = name;
    prefixTime = performance.now();
  }
}

/** Say shortcuts for as long as the component is shown. */
export function useShortcuts(title: string, shortcuts: readonly Shortcut[]): void {
  const latest = useRef(shortcuts);
  useEffect(() => {
    latest.current = shortcuts;
  });
  const signature = shortcuts.map((shortcut) => `${shortcut.keys}\t${shortcut.what}\t${shortcut.run ? 1 : 0}`).join("\n");
  useEffect(() => {
    const group: ShortcutGroup = {
      title,
      shortcuts: latest.current.map((shortcut, index) => ({
        keys: shortcut.keys,
        what: shortcut.what,
        ...(shortcut.run ? { run: () => latest.current[index]?.run?.() } : {}),
      })),
    };
    if (groups.length === 0) window.addEventListener("keydown", onKeyDown);
    change([...groups, group]);
    return () => {
      change(groups.filter((other) => other !== group));
      if (groups.length === 0) window.removeEventListener("keydown", onKeyDown);
    };
  }, [title, signature]);
}

/** What holds now, for the help. */
export function useShortcutGroups(): readonly ShortcutGroup[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => groups,
  );
}
