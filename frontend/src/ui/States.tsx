/** What a page shows while it has nothing to show: loading, empty, failed. */
import type { ReactNode } from "react";
import { messageOf } from "../api/problem";
import { Button } from "./Button";

/** Grey bars where text will be, so that nothing jumps when it comes. */
export function Skeleton({ lines = 3, label = "Loading" }: { lines?: number; label?: string }) {
  return (
    <div className="skeleton" role="status" aria-label={label}>
      {Array.from({ length: lines }, (_, index) => (
        <i key={index} style={{ width: `${[92, 74, 84, 61][index % 4]}%` }} />
      ))}
    </div>
  );
}

export function Empty({ title, children, actions, heading: Heading = "h3" }: { title: string; children?: ReactNode; actions?: ReactNode; heading?: "h1" | "h2" | "h3" }) {
  return (
    <div className="empty">
      <Heading>{title}</Heading>
      {children !== undefined && <p>{children}</p>}
      {actions !== undefined && <div className="row">{actions}</div>}
    </div>
  );
}

export function Failure({ error, what, retry }: { error: unknown; what: string; retry?: () => void }) {
  return (
    <div className="empty" role="alert">
      <h3>{what}</h3>
      <p>{messageOf(error)}</p>
      {retry && (
        <div className="row">
          <Button onClick={retry}>Try again</Button>
        </div>
      )}
    </div>
  );
}
