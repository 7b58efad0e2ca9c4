import type { Plugin } from "../api/types";
import { Panel } from "../ui/Panel";
import { Chip } from "../ui/StateChip";
import "./workers.css";

const BRINGS: Record<string, string> = { "nascope.algorithms": "algorithm", "nascope.spaces": "search space", "nascope.datasets": "data set" };

/** What installed packages would have brought if it could be loaded: what, why not, and what to do. Nothing where all of it was loaded. */
export function PluginsLeftOut({ plugins }: { plugins: readonly Plugin[] }) {
  if (plugins.length === 0) return null;
  const packages = [...new Set(plugins.map((plugin) => plugin.package).filter((name) => name !== ""))];
  return (
    <Panel title="Plug-ins left out" note="the rest of NAScope works without them" flush>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Plug-in</th>
            <th scope="col">Package</th>
            <th scope="col">Why it was left out</th>
          </tr>
        </thead>
        <tbody>
          {plugins.map((plugin) => (
            <tr key={`${plugin.group} ${plugin.name} ${plugin.package}`}>
              <th scope="row">
                {plugin.name} <Chip tone="warn">{BRINGS[plugin.group] ?? plugin.group}</Chip>
                <span className="sub">{plugin.value}</span>
              </th>
              <td>
                {plugin.package || "unknown"}
                <span className="sub">{plugin.version}</span>
              </td>
              <td className="plugin-reason">{plugin.reason}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="plugin-advice">
        Repair the package, or remove it{packages.length > 0 && <>: <code>pip uninstall {packages.join(" ")}</code></>}. Then restart NAScope and its workers; plug-ins
        are loaded at their start.
      </p>
    </Panel>
  );
}
