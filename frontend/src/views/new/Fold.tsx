import { useState, type ReactNode } from "react";
import { Chip } from "../../ui/StateChip";

interface FoldProps {
  title: string;
  note: string;
  changed: number;
  /** Something inside is wrong: the fold opens so that nobody has to look for it. */
  wrong: boolean;
  children: ReactNode;
}

/** A part of the form that most people leave alone. */
export function Fold({ title, note, changed, wrong, children }: FoldProps) {
  const [open, setOpen] = useState(false);
  const shown = open || wrong;
  return (
    <details className="panel fold" open={shown}>
      <summary
        onClick={(event) => {
          event.preventDefault();
          setOpen(!shown);
        }}
      >
        <h2>{title}</h2>
        <span className="note">{note}</span>
        {changed > 0 && <Chip tone="accent">{changed} changed</Chip>}
        {wrong && <Chip tone="bad">needs a look</Chip>}
      </summary>
      {shown && <div className="panel-body">{children}</div>}
    </details>
  );
}
