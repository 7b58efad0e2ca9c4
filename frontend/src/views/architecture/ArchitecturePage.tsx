/** An architecture that somebody has already: pasted as text, drawn, and the two ways on from it. */
import { useEffect, useId, useState } from "react";
import { getGenome, getRun, getSpaces } from "../../api/resources";
import type { Architecture, SearchSpace } from "../../api/types";
import { useResource } from "../../api/useResource";
import { navigate, useLocation } from "../../app/router";
import { paths } from "../../app/routes";
import { useTitle } from "../../app/useTitle";
import { GenomeGraph } from "../../graph/GenomeGraph";
import { fileName, saveFile } from "../../pictures/save";
import { Button, ButtonLink } from "../../ui/Button";
import { CodeBlock, CopyButton } from "../../ui/Copy";
import { Panel } from "../../ui/Panel";
import { Empty, Failure, Skeleton } from "../../ui/States";
import { fromAddress, readOptions, toAddress } from "./address";
import { useArchitecture } from "./useArchitecture";
import { asJson, EXAMPLES, operationsText, optionsText } from "./words";
import "./architecture.css";

interface Pasted {
  text: string;
  /** Id of its space; "" = as the text says. */
  space: string;
  options: Record<string, unknown>;
}

interface PasteBoxProps {
  pasted: Pasted;
  spaces: SearchSpace[];
  problems: ReadonlyMap<string, string>;
  onChange: (pasted: Pasted) => void;
}

function PasteBox({ pasted, spaces, problems, onChange }: PasteBoxProps) {
  const id = useId();
  const elsewhere = [...problems].find(([field]) => field !== "text" && field !== "space");
  return (
    <Panel title="Its text">
      <div className="stack">
        <textarea
          className="textarea"
          rows={4}
          spellCheck={false}
          autoComplete="off"
          aria-label="Text of the architecture"
          aria-invalid={problems.has("text") || undefined}
          aria-describedby={problems.has("text") ? `${id}-text` : undefined}
          placeholder="|nor_conv_3x3~0|+|…   or   Genotype(normal=[…   or   {&quot;space&quot;: …"
          value={pasted.text}
          // Options came with the text that was here before.
          onChange={(event) => onChange({ ...pasted, text: event.target.value, options: {} })}
        />
        {problems.has("text") && (
          <p id={`${id}-text`} className="error-text architecture-problem" role="alert">
            {problems.get("text")}
          </p>
        )}
        <div className="architecture-space">
          <label htmlFor={`${id}-space`}>Search space</label>
          <select
            id={`${id}-space`}
            className="select"
            value={pasted.space}
            aria-invalid={problems.has("space") || undefined}
            aria-describedby={problems.has("space") ? `${id}-wrong` : undefined}
            onChange={(event) => onChange({ ...pasted, space: event.target.value })}
          >
            <option value="">as the text says</option>
            {spaces.map((space) => (
              <option key={space.id} value={space.id}>
                {space.title}
              </option>
            ))}
          </select>
        </div>
        {problems.has("space") && (
          <p id={`${id}-wrong`} className="error-text architecture-problem" role="alert">
            {problems.get("space")}
          </p>
        )}
        {elsewhere && (
          <p className="error-text architecture-problem" role="alert">
            {elsewhere[0]}: {elsewhere[1]}
          </p>
        )}
      </div>
    </Panel>
  );
}

function WaysOn({ found }: { found: Architecture }) {
  const way = { architecture: toAddress(found.text, found.hash), space: found.space, options: JSON.stringify(found.space_options) };
  return (
    <Panel title="Go on from it">
      <div className="architecture-ways">
        <div className="stack">
          {found.trains ? <ButtonLink kind="primary" to={paths.newExperiment({ ...way, use: "train" })}>Train it</ButtonLink> : <Button disabled>Train it</Button>}
          <p className="muted small">
            {found.trains
              ? "On data that you choose: trained from scratch, tested once and made into a model, beside random ones of about its size. The form estimates what its training takes."
              : "Nothing of this space is trained here: a formula scores it."}
          </p>
        </div>
        <div className="stack">
          {found.searches.length > 0 ? <ButtonLink to={paths.newExperiment({ ...way, use: "start" })}>Start a search from it</ButtonLink> : <Button disabled>Start a search from it</Button>}
          <p className="muted small">
            {found.searches.length > 0
              ? `It is the first of the population; the others are its children, by one mutation each. Possible with: ${found.searches.map((item) => item.title).join(", ")}.`
              : "No installed algorithm begins with architectures of this space."}
          </p>
        </div>
      </div>
    </Panel>
  );
}

function Found({ found }: { found: Architecture }) {
  const operations = operationsText(found.drawings);
  const options = optionsText(found.space_options);
  const json = asJson(found);
  return (
    <>
      <Panel title={found.space_title} note={options || undefined} flush>
        <div className="architecture-drawing">
          <GenomeGraph drawings={found.drawings} wide />
        </div>
      </Panel>
      <WaysOn found={found} />
      <Panel
        title="To take with you"
        actions={
          <>
            <CopyButton text={json} label="Copy as JSON" />
            <Button small onClick={() => saveFile(fileName([found.space, found.hash.slice(0, 8)], "json"), new Blob([json], { type: "application/json" }))}>
              Save as a file
            </Button>
          </>
        }
      >
        <div className="stack">
          <CodeBlock text={found.string} label="The architecture as its space writes it" />
          <dl className="facts">
            {operations && (
              <>
                <dt>Operations</dt>
                <dd>{operations}</dd>
              </>
            )}
            <dt title="Equal for architectures that compute the same function, as far as the space knows">Hash</dt>
            <dd className="mono architecture-hash">{found.hash}</dd>
          </dl>
        </div>
      </Panel>
    </>
  );
}

/** The text of `?genome=`, with the options of its run's space. */
async function ofGenome(id: string, signal: AbortSignal): Promise<Pasted> {
  const genome = await getGenome(id, signal);
  const run = await getRun(genome.run, signal);
  const options = genome.space === run.space ? ((run.config?.["space_options"] ?? {}) as Pasted["options"]) : {};
  return { text: JSON.stringify({ space: genome.space, content: genome.content }), space: genome.space, options };
}

function ArchitectureForm({ first }: { first: Pasted }) {
  const [pasted, setPasted] = useState(first);
  const spaces = useResource("search-spaces", getSpaces);
  const { found, problems, error, loading, retry } = useArchitecture({ text: pasted.text, space: pasted.space, space_options: pasted.options });
  // A link to what is shown; a text that nobody could read is not worth one.
  useEffect(() => {
    if (found) navigate(paths.architecture({ text: toAddress(pasted.text, found.hash), space: pasted.space, options: pasted.options }), { replace: true });
  }, [found, pasted]);
  return (
    <div className="stack architecture">
      <PasteBox pasted={pasted} spaces={spaces.data ?? []} problems={problems} onChange={setPasted} />
      {found ? (
        <Found found={found} />
      ) : loading ? (
        <Skeleton lines={5} label="Reading the architecture" />
      ) : error !== undefined ? (
        <Failure what="The architecture could not be read" error={error} retry={retry} />
      ) : (
        problems.size === 0 && (
          <Panel title="Nothing pasted yet">
            <Empty
              title="Paste an architecture above"
              actions={EXAMPLES.map(([name, text]) => (
                <Button key={name} small onClick={() => setPasted({ text, space: "", options: {} })}>
                  {name}
                </Button>
              ))}
            >
              A string of NAS-Bench-201, a Genotype of DARTS, a genome&apos;s JSON, or, with its search space chosen, whatever that space writes. Nothing of it is executed. Two
              to try:
            </Empty>
          </Panel>
        )
      )}
    </div>
  );
}

export function ArchitecturePage() {
  useTitle("Architecture");
  const { query } = useLocation();
  // As it was when the page was opened: what the form puts into the address later is its own.
  const [opened] = useState(() => new URLSearchParams(query));
  const genome = opened.get("genome");
  const given = useResource(genome === null ? null : `architecture/${genome}`, (signal) => ofGenome(genome ?? "", signal));
  const first = genome === null ? { text: fromAddress(opened.get("text") ?? ""), space: opened.get("space") ?? "", options: readOptions(opened.get("options")) } : given.data;
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>Architecture</h1>
          <p>One that you have already: see it, train it, or let a search start from it.</p>
        </div>
      </div>
      {first ? (
        <ArchitectureForm first={first} />
      ) : given.error !== undefined ? (
        <Failure what="The architecture could not be loaded" error={given.error} retry={given.reload} />
      ) : (
        <Skeleton lines={5} label="Loading the architecture" />
      )}
    </div>
  );
}
