import { useState, type ReactNode } from "react";
import { Toasts } from "../ui/toast";
import { KeyboardHelp } from "./KeyboardHelp";
import { Logo } from "./Logo";
import { Link, navigate } from "./router";
import { paths, type Route } from "./routes";
import { useSession } from "./session";
import { useShortcuts } from "./shortcuts";
import { chooseTheme, useTheme } from "./theme";

const NAVIGATION: { to: string; label: string; pages: Route["page"][] }[] = [
  { to: paths.experiments, label: "Experiments", pages: ["experiments", "experiment", "run", "new", "architecture"] },
  { to: paths.models, label: "Models", pages: ["models"] },
  { to: paths.data, label: "Data", pages: ["data"] },
  { to: paths.explore, label: "Distributions", pages: ["explore"] },
  { to: paths.atlas, label: "Atlas", pages: ["atlas", "atlas-entry"] },
  { to: paths.workers, label: "Workers", pages: ["workers"] },
];

/** Header, navigation and the frame around every page. The run page fills the window; others scroll in a column. */
export function Shell({ route, children }: { route: Route; children: ReactNode }) {
  const { me } = useSession();
  const { theme } = useTheme();
  const [help, setHelp] = useState(false);
  const otherTheme = theme === "dark" ? "light" : "dark";
  useShortcuts("Everywhere", [
    { keys: "?", what: "This help", run: () => setHelp(true) },
    { keys: "n", what: "New experiment", run: () => navigate(paths.newExperiment()) },
    { keys: "p", what: "Paste an architecture", run: () => navigate(paths.architecture()) },
    { keys: "g h", what: "First page", run: () => navigate(paths.home) },
    { keys: "g e", what: "Experiments", run: () => navigate(paths.experiments) },
    { keys: "g m", what: "Models", run: () => navigate(paths.models) },
    { keys: "g d", what: "Data", run: () => navigate(paths.data) },
    { keys: "g s", what: "Distributions on the simplex", run: () => navigate(paths.explore) },
    { keys: "g a", what: "Atlas of published figures and tables", run: () => navigate(paths.atlas) },
    { keys: "g w", what: "Workers", run: () => navigate(paths.workers) },
    { keys: "t", what: "Light or dark", run: () => chooseTheme(otherTheme) },
  ]);
  return (
    <div className={route.page === "run" ? "shell shell-full" : "shell"}>
      <a className="skip-link" href="#main">
        Skip to the page
      </a>
      <header className="topbar">
        <Link to={paths.home} className="logo">
          <Logo />
          NAScope
        </Link>
        <nav aria-label="Main">
          {NAVIGATION.map((item) => {
            const here = item.pages.includes(route.page);
            return (
              <Link key={item.to} to={item.to} className={here ? "nav-link nav-here" : "nav-link"} aria-current={here ? "page" : undefined}>
                {item.label}
              </Link>
            );
          })}
        </nav>
        <span className="grow" />
        {route.page !== "new" && (
          <Link to={paths.newExperiment()} className="button button-small topbar-new">
            New experiment
          </Link>
        )}
        <button type="button" className="topbar-quiet topbar-theme" onClick={() => chooseTheme(otherTheme)}>
          {otherTheme === "dark" ? "Dark" : "Light"}
        </button>
        <button type="button" className="topbar-quiet" aria-label="Keyboard help" title="Keyboard help" onClick={() => setHelp(true)}>
          <kbd>?</kbd>
        </button>
        <Link to={paths.account} className="nav-link" aria-current={route.page === "account" ? "page" : undefined}>
          {me.username}
        </Link>
      </header>
      <main id="main" tabIndex={-1}>
        {children}
      </main>
      {help && <KeyboardHelp onClose={() => setHelp(false)} />}
      <Toasts />
    </div>
  );
}
