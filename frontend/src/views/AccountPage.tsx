import { useState, type FormEvent } from "react";
import { messageOf } from "../api/problem";
import { createToken, deleteToken, getTokens } from "../api/resources";
import type { ApiToken, TokenScope } from "../api/types";
import { useResource } from "../api/useResource";
import { useSession } from "../app/session";
import { chooseTheme, useTheme } from "../app/theme";
import { useTitle } from "../app/useTitle";
import { Button } from "../ui/Button";
import { CodeBlock } from "../ui/Copy";
import { Confirm } from "../ui/Dialog";
import { Panel } from "../ui/Panel";
import { Segmented } from "../ui/Segmented";
import { Failure, Skeleton } from "../ui/States";
import { ago, moment } from "../ui/format";
import { toast } from "../ui/toast";
import { useAction } from "../ui/useAction";

function NewToken({ onCreated }: { onCreated: (token: ApiToken) => void }) {
  const [name, setName] = useState("");
  const [scope, setScope] = useState<TokenScope>("read");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError("");
    try {
      onCreated(await createToken(name.trim(), scope));
      setName("");
    } catch (problem) {
      setError(messageOf(problem));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form className="stack" onSubmit={submit}>
      <div className="row">
        <label htmlFor="token-name">Name</label>
        <input
          id="token-name"
          className="input token-name"
          maxLength={100}
          required
          placeholder="what you will recognise it by"
          value={name}
          aria-invalid={error ? true : undefined}
          onChange={(event) => setName(event.target.value)}
        />
        <Segmented
          label="What the token may do"
          value={scope}
          onChange={setScope}
          options={[
            { value: "read", label: "Read only" },
            { value: "write", label: "Read and write" },
          ]}
        />
        <Button type="submit" busy={busy} disabled={name.trim() === ""}>
          Make a token
        </Button>
      </div>
      {error && (
        <p className="error-text" role="alert">
          {error}
        </p>
      )}
    </form>
  );
}

function Tokens() {
  const tokens = useResource("tokens", getTokens);
  const [made, setMade] = useState<ApiToken | null>(null);
  const [doomed, setDoomed] = useState<ApiToken | null>(null);
  const { busy, act } = useAction();
  const remove = (token: ApiToken) =>
    act(async () => {
      await deleteToken(token.id);
      toast(`The token '${token.name}' no longer works.`);
      if (made?.id === token.id) setMade(null);
      setDoomed(null);
      tokens.reload();
    });
  return (
    <Panel title="API tokens" note="for scripts; send one as Authorization: Bearer">
      <div className="stack">
        <NewToken
          onCreated={(token) => {
            setMade(token);
            tokens.reload();
          }}
        />
        {made?.token && (
          <div className="stack" role="status">
            <p>
              This is the token <span className="strong">{made.name}</span>. Copy it now: it is shown this once and kept nowhere.
            </p>
            <CodeBlock text={made.token} label="New token" />
          </div>
        )}
        {tokens.loading && <Skeleton lines={2} label="Loading tokens" />}
        {tokens.error !== undefined && <Failure what="The tokens did not load" error={tokens.error} retry={tokens.reload} />}
        {tokens.data && tokens.data.length > 0 && (
          <table className="table">
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">May</th>
                <th scope="col">Made</th>
                <th scope="col">Last used</th>
                <th scope="col">
                  <span className="visually-hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {tokens.data.map((token) => (
                <tr key={token.id}>
                  <th scope="row">{token.name}</th>
                  <td>{token.scope === "write" ? "read and write" : "read"}</td>
                  <td className="muted" title={moment(token.created)}>
                    {ago(token.created)}
                  </td>
                  <td className="muted" title={moment(token.last_used)}>
                    {token.last_used ? ago(token.last_used) : "never"}
                  </td>
                  <td className="num">
                    <Button kind="danger" small onClick={() => setDoomed(token)}>
                      Delete
                    </Button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
      {doomed && (
        <Confirm title={`Delete the token '${doomed.name}'?`} verb="Delete it" busy={busy !== ""} onConfirm={() => void remove(doomed)} onClose={() => setDoomed(null)}>
          Scripts that use it are refused from then on.
        </Confirm>
      )}
    </Panel>
  );
}

export function AccountPage() {
  useTitle("Account");
  const { me, logout } = useSession();
  const { choice } = useTheme();
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>{me.username}</h1>
          <p>
            Your experiments, runs and models are visible to you only.
            {me.is_staff && (
              <>
                {" "}
                You may also open the <a href="/admin/">administration</a> of this server.
              </>
            )}
          </p>
        </div>
        <div className="actions">
          <Button onClick={() => void logout()}>Log out</Button>
        </div>
      </div>
      <Panel title="Appearance">
        <Segmented
          label="Appearance"
          value={choice}
          onChange={chooseTheme}
          options={[
            { value: "system", label: "As the system" },
            { value: "light", label: "Light" },
            { value: "dark", label: "Dark" },
          ]}
        />
      </Panel>
      <Tokens />
    </div>
  );
}
