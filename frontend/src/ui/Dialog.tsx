import { useEffect, useId, useRef, type ReactNode } from "react";
import { Button } from "./Button";

/** A modal dialog on the browser's own <dialog>: focus is kept inside, Escape closes it, focus returns where it was. */
export function Dialog({ title, onClose, children, actions, wide, size }: { title: string; onClose: () => void; children: ReactNode; actions?: ReactNode; wide?: boolean; size?: "chart" }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    if (element && !element.open) element.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className={`dialog${wide ? " dialog-wide" : ""}${size ? ` dialog-${size}` : ""}`}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <div className="dialog-inner">
        <header className="dialog-head">
          <h2 id={id}>{title}</h2>
        </header>
        <div className="dialog-body">{children}</div>
        {actions !== undefined && <footer className="dialog-actions">{actions}</footer>}
      </div>
    </dialog>
  );
}

/** Asks before something that cannot be undone. */
export function Confirm({ title, children, verb, busy, onConfirm, onClose }: { title: string; children: ReactNode; verb: string; busy?: boolean; onConfirm: () => void; onClose: () => void }) {
  return (
    <Dialog
      title={title}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Keep it</Button>
          <Button kind="danger" busy={busy ?? false} onClick={onConfirm}>
            {verb}
          </Button>
        </>
      }
    >
      {children}
    </Dialog>
  );
}
