import { Fragment } from "react";
import { Dialog } from "../ui/Dialog";
import { Button } from "../ui/Button";
import { useShortcutGroups } from "./shortcuts";

const SIGNS: Record<string, string> = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc" };

function Keys({ keys }: { keys: string }) {
  return (
    <span className="row">
      {keys.split(" ").map((chord, index) => (
        <Fragment key={index}>
          {index > 0 && <span className="faint small">then</span>}
          {chord.split("+").map((key) => (
            <kbd key={key}>{SIGNS[key] ?? key}</kbd>
          ))}
        </Fragment>
      ))}
    </span>
  );
}

export function KeyboardHelp({ onClose }: { onClose: () => void }) {
  const groups = useShortcutGroups();
  return (
    <Dialog title="Keyboard" onClose={onClose} wide actions={<Button onClick={onClose}>Close</Button>}>
      <div className="shortcut-groups">
        {groups.map((group) => (
          <section key={group.title}>
            <h3>{group.title}</h3>
            <dl className="shortcuts">
              {group.shortcuts.map((shortcut) => (
                <Fragment key={shortcut.keys}>
                  <dt>
                    <Keys keys={shortcut.keys} />
                  </dt>
                  <dd>{shortcut.what}</dd>
                </Fragment>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
