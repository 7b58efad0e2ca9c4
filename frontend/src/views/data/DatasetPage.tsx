/** One data set: by the id of somebody's own (from its upload on), or by its id in the registry. */
import "./data.css";
import { getDatasets } from "../../api/resources";
import { useResource } from "../../api/useResource";
import { Failure, Skeleton } from "../../ui/States";
import { BuiltInPage } from "./BuiltInPage";
import { OwnDatasetPage } from "./OwnDatasetPage";

const OWN = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A kept set by what experiments call it. */
function Kept({ id }: { id: string }) {
  const own = useResource(`kept ${id}`, async (signal) => (await getDatasets(signal)).find((item) => item.id === id)?.own ?? null);
  if (own.loading) return <Skeleton lines={8} label="Loading the data set" />;
  if (own.error !== undefined) return <Failure what="The data set did not load" error={own.error} retry={own.reload} />;
  return own.data ? <OwnDatasetPage id={own.data} /> : <BuiltInPage id={id} />;
}

export function DatasetPage({ id }: { id: string }) {
  if (OWN.test(id)) return <OwnDatasetPage id={id} />;
  return id.startsWith("own-") ? <Kept id={id} /> : <BuiltInPage id={id} />;
}
