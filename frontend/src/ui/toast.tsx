/** Short messages that pass by, also read out by screen readers. */
import { useSyncExternalStore } from "react";
import { messageOf } from "../api/problem";

interface Toast {
  id: number;
  text: string;
  bad: boolean;
}

let toasts: readonly Toast[] = [];
let nextId = 1;
const listeners = new Set<() => void>();

function set(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

function dismiss(id: number): void {
  set(toasts.filter((toast) => toast.id !== id));
}

/** Say something for a few seconds. */
export function toast(text: string, bad = false): void {
  const id = nextId++;
  set([...toasts.slice(-3), { id, text, bad }]);
  setTimeout(() => dismiss(id), bad ? 9000 : 4500);
}

/** Say that something went wrong. */
export function toastError(error: unknown): void {
  toast(messageOf(error), true);
}

export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map((item) => (
        <div key={item.id} className={item.bad ? "toast toast-bad" : "toast"}>
          <span>{item.text}</span>
          <button type="button" className="toast-close" aria-label="Close this message" onClick={() => dismiss(item.id)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
