import { useId, type ReactNode } from "react";

export interface PanelProps {
  title?: ReactNode;
  note?: ReactNode;
  actions?: ReactNode;
  className?: string;
  /** Tables and graphs fill the panel to its edges. */
  flush?: boolean;
  children: ReactNode;
}

/** A titled part of a page. */
export function Panel({ title, note, actions, className, flush, children }: PanelProps) {
  const id = useId();
  return (
    <section className={`panel${className ? ` ${className}` : ""}`} aria-labelledby={title ? id : undefined}>
      {title !== undefined && (
        <header className="panel-head">
          <h2 id={id}>{title}</h2>
          {note !== undefined && <span className="note">{note}</span>}
          {actions !== undefined && <div className="panel-actions">{actions}</div>}
        </header>
      )}
      <div className={flush ? "panel-flush" : "panel-body"}>{children}</div>
    </section>
  );
}
