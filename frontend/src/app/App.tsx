import { lazy, Suspense, useEffect, useMemo, useState } from "react";
import { onSessionLost } from "../api/client";
import { ApiError } from "../api/problem";
import { getMe, logout } from "../api/resources";
import { useResource } from "../api/useResource";
import { Failure, Skeleton } from "../ui/States";
import { toastError } from "../ui/toast";
import { AccountPage } from "../views/AccountPage";
import { ExperimentPage } from "../views/ExperimentPage";
import { ExperimentsPage } from "../views/ExperimentsPage";
import { HomePage } from "../views/HomePage";
import { LoginPage } from "../views/LoginPage";
import { ModelsPage } from "../views/ModelsPage";
import { NotFoundPage } from "../views/NotFoundPage";
import { WorkersPage } from "../views/WorkersPage";
import { ErrorBoundary } from "./ErrorBoundary";
import { AfterLogin } from "./AfterLogin";
import { navigate, useLocation } from "./router";
import { paths, routeOf, type Route } from "./routes";
import { SessionContext } from "./session";
import { Shell } from "./Shell";

const RunPage = lazy(() => import("../run/RunPage").then((module) => ({ default: module.RunPage })));
const ArchitecturePage = lazy(() => import("../views/architecture/ArchitecturePage").then((module) => ({ default: module.ArchitecturePage })));
const OpenRunPage = lazy(() => import("../views/data/OpenRunPage").then((module) => ({ default: module.OpenRunPage })));
const DataPage = lazy(() => import("../views/data/DataPage").then((module) => ({ default: module.DataPage })));
const DatasetPage = lazy(() => import("../views/data/DatasetPage").then((module) => ({ default: module.DatasetPage })));
const ExplorePage = lazy(() => import("../explore/ExplorePage").then((module) => ({ default: module.ExplorePage })));
const ModelPage = lazy(() => import("../views/model/ModelPage").then((module) => ({ default: module.ModelPage })));
const AtlasPage = lazy(() => import("../atlas/AtlasPage").then((module) => ({ default: module.AtlasPage })));
const AtlasEntryPage = lazy(() => import("../atlas/AtlasEntryPage").then((module) => ({ default: module.AtlasEntryPage })));
const NewExperimentPage = lazy(() => import("../views/new/NewExperimentPage").then((module) => ({ default: module.NewExperimentPage })));

function Page({ route }: { route: Route }) {
  switch (route.page) {
    case "home":
      return <HomePage />;
    case "login":
      return <AfterLogin />;
    case "new":
      return <NewExperimentPage />;
    case "architecture":
      return <ArchitecturePage />;
    case "experiments":
      return <ExperimentsPage />;
    case "open":
      return <OpenRunPage />;
    case "experiment":
      return <ExperimentPage key={route.id} id={route.id} />;
    case "run":
      return <RunPage key={route.id} runId={route.id} />;
    case "models":
      return <ModelsPage />;
    case "model":
      return <ModelPage key={route.id} id={route.id} />;
    case "data":
      return <DataPage />;
    case "dataset":
      return <DatasetPage key={route.id} id={route.id} />;
    case "explore":
      return <ExplorePage />;
    case "atlas":
      return <AtlasPage />;
    case "atlas-entry":
      return <AtlasEntryPage key={route.id} id={route.id} />;
    case "workers":
      return <WorkersPage />;
    case "account":
      return <AccountPage />;
    case "not-found":
      return <NotFoundPage path={route.path} />;
  }
}

/** Who is there decides first: the login page, or the shell with the page of the address. */
export function App() {
  const { path } = useLocation();
  const route = useMemo(() => routeOf(path), [path]);
  const me = useResource("me", getMe);
  const [out, setOut] = useState(false);
  useEffect(() => onSessionLost(() => setOut(true)), []);

  const session = useMemo(
    () =>
      me.data && {
        me: me.data,
        logout: () =>
          logout().then(() => {
            setOut(true);
            navigate(paths.home);
          }, toastError),
      },
    [me.data],
  );

  const refused = me.error instanceof ApiError && (me.error.status === 401 || me.error.status === 403);
  if (out || refused) {
    return (
      <LoginPage
        onLogin={(person) => {
          me.set(person);
          setOut(false);
        }}
      />
    );
  }
  if (me.error !== undefined && !me.data) {
    return (
      <main className="page">
        <Failure what="NAScope does not answer" error={me.error} retry={me.reload} />
      </main>
    );
  }
  if (!session) return <Skeleton label="Starting" lines={1} />;
  return (
    <SessionContext value={session}>
      <Shell route={route}>
        <ErrorBoundary key={path}>
          <Suspense fallback={<Skeleton lines={4} />}>
            <Page route={route} />
          </Suspense>
        </ErrorBoundary>
      </Shell>
    </SessionContext>
  );
}
