/** All data: what one has brought, with a place to bring more, and what is built in. */
import "./data.css";
import { getDataRoom, getDatasets, getOwnDatasets } from "../../api/resources";
import type { Dataset, OwnDataset } from "../../api/types";
import { usePages } from "../../api/usePages";
import { useResource } from "../../api/useResource";
import { Link, navigate } from "../../app/router";
import { paths } from "../../app/routes";
import { useTitle } from "../../app/useTitle";
import { Button, ButtonLink } from "../../ui/Button";
import { Panel } from "../../ui/Panel";
import { Chip } from "../../ui/StateChip";
import { Empty, Failure, Skeleton } from "../../ui/States";
import { ago, bytes } from "../../ui/format";
import { DatasetFacts } from "./DatasetFacts";
import { UploadBox } from "./UploadBox";
import { atWork, kindText, STATE_TONES, STATE_WORDS } from "./dataText";

const load = (cursor: string | null, signal?: AbortSignal) => getOwnDatasets(cursor, signal);
const EVERY_MS = 3000;

function OwnRow({ row }: { row: OwnDataset }) {
  return (
    <tr>
      <th scope="row">
        <Link to={paths.dataset(row.id)}>{row.title}</Link>
        <span className="sub">
          {row.version > 1 && `version ${row.version}, `}
          {kindText(row)}
        </span>
      </th>
      <td>
        <Chip tone={STATE_TONES[row.state]} live={atWork(row.state)} {...(row.reason ? { title: row.reason } : {})}>
          {STATE_WORDS[row.state]}
        </Chip>
        {row.reason && <span className="sub">{row.reason}</span>}
        {row.progress?.text && <span className="sub">{row.progress.text}</span>}
      </td>
      <td className="num">{ago(row.created)}</td>
      <td className="num">
        {row.state === "ready" ? (
          <ButtonLink small to={paths.newExperiment({ dataset: row.dataset })}>
            Search on it
          </ButtonLink>
        ) : (
          <ButtonLink small to={paths.dataset(row.id)}>
            {row.state === "examined" ? "Look and keep" : "Look"}
          </ButtonLink>
        )}
      </td>
    </tr>
  );
}

function OwnData() {
  const pages = usePages("own data", load, EVERY_MS);
  const room = useResource("data room", getDataRoom);
  const note = room.data && `${bytes(room.data.taken)} of ${bytes(room.data.most)}; a file of at most ${bytes(room.data.most_of_a_file)}`;
  return (
    <Panel title="Your data" {...(note ? { note } : {})}>
      <div className="stack">
        <UploadBox
          onDone={(id) => {
            pages.reload();
            // Whoever has gone on to another page meanwhile stays there.
            if (window.location.pathname === paths.data) navigate(paths.dataset(id));
          }}
        />
        {pages.loading ? (
          <Skeleton lines={3} label="Loading your data" />
        ) : pages.items.length === 0 && pages.error !== undefined ? (
          <Failure what="Your data did not load" error={pages.error} retry={pages.reload} />
        ) : pages.items.length === 0 ? (
          <Empty title="Nothing of yours yet">A file that you bring is examined first; you see what is in it and what it becomes, and keep it if it is right. Nobody else sees it.</Empty>
        ) : (
          <div className="panel-flush">
            <table className="table own-data">
              <caption className="visually-hidden">Your data sets</caption>
              <thead>
                <tr>
                  <th scope="col">Data set</th>
                  <th scope="col">State</th>
                  <th scope="col" className="num">
                    Brought
                  </th>
                  <th scope="col">
                    <span className="visually-hidden">What to do</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {pages.items.map((row) => (
                  <OwnRow key={row.id} row={row} />
                ))}
              </tbody>
            </table>
            {pages.more && (
              <div className="table-more">
                <Button busy={pages.loadingMore} onClick={pages.loadMore}>
                  Older ones
                </Button>
              </div>
            )}
          </div>
        )}
      </div>
    </Panel>
  );
}

function DatasetPanel({ dataset }: { dataset: Dataset }) {
  return (
    <Panel
      article
      title={<Link to={paths.dataset(dataset.id)}>{dataset.title}</Link>}
      note={<code>{dataset.id}</code>}
      actions={
        dataset.available ? (
          <>
            <Chip tone="good">available</Chip>
            <ButtonLink small to={paths.dataset(dataset.id)}>
              Look at it
            </ButtonLink>
            <ButtonLink small to={paths.newExperiment({ dataset: dataset.id })}>
              Search on it
            </ButtonLink>
          </>
        ) : (
          <Chip tone="warn">files missing</Chip>
        )
      }
    >
      <DatasetFacts dataset={dataset} />
    </Panel>
  );
}

export function DataPage() {
  useTitle("Data");
  const datasets = useResource("datasets", getDatasets);
  const builtIn = (datasets.data ?? []).filter((dataset) => dataset.own === null);
  const sorted = builtIn.sort((a, b) => Number(b.available) - Number(a.available));
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>Data</h1>
          <p>Training data fit the weights, validation data choose the structure, and the test part is opened once, at the end of a run.</p>
        </div>
      </div>
      <OwnData />
      <h2>Built in</h2>
      {datasets.loading && <Skeleton lines={6} label="Loading data sets" />}
      {datasets.error !== undefined && <Failure what="The data sets did not load" error={datasets.error} retry={datasets.reload} />}
      {sorted.map((dataset) => (
        <DatasetPanel key={dataset.id} dataset={dataset} />
      ))}
    </div>
  );
}
