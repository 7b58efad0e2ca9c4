/** In place of the link to a download that is not what was recorded: what was found, and what can be done about it. */
import { useState } from "react";
import { rebuildModel } from "../api/resources";
import type { Bundle, Model } from "../api/types";
import { Button } from "../ui/Button";
import { moment } from "../ui/format";
import { useAction } from "../ui/useAction";
import "./damaged.css";

export function DamagedDownload({ model, bundle }: { model: Model; bundle: Bundle }) {
  const [answer, setAnswer] = useState<Bundle | null>(null);
  const { busy, act } = useAction();
  // Until the page is loaded again, the answer to the click is the newest.
  const shown = answer ?? bundle;
  const rebuild = () => act(async () => setAnswer((await rebuildModel(model.id)).bundle));
  return (
    <div className="damaged" role="status">
      <p>
        <strong>This download is damaged</strong>: {bundle.damage}
        {bundle.checked && ` (looked at ${moment(bundle.checked)})`}. It is not sent. The scores above stand; {shown.repair}.
      </p>
      {shown.rebuild === "possible" && (
        <Button busy={busy !== ""} onClick={() => void rebuild()}>
          Make it again
        </Button>
      )}
    </div>
  );
}
