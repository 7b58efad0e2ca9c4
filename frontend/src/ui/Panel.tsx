import { useId, type ReactNode } from "react";

export interface PanelProps {
  title?: ReactNode;
  note?: ReactNode;
  actions?: ReactNode;
  className?: string;
  /** Tables and graphs fill the panel to its edges. */
  flush?: boolean;
  /** One of many alike, as in a list: an article, so that the page does not get a landmark for each. */
  article?: boolean;
  children: ReactNode;
}

/** A titled part of a page. */
export function Panel({ title, note, actions, className, flush, article, children }: PanelProps) {
  const id = useId();
  const Element = article ? "article" : "section";
  return (
    <Element className={`panel${className ? ` ${className}` : ""}`} aria-labelledby={title ? id : undefined}>
      {title !== undefined && (
        <header className="panel-head">
          <h2 id={id}>{title}</h2>
          {note !== undefined && <span className="note">{note}</span>}
          {actions !== undefined && <div className="panel-actions">{actions}</div>}
        </header>
      )}
      <div className={flush ? "panel-flush" : "panel-body"}>{children}</div>
    </Element>
  );
}
