import { useState, type FormEvent } from "react";
import { messageOf } from "../api/problem";
import { login } from "../api/resources";
import type { Me } from "../api/types";
import { Logo } from "../app/Logo";
import { useTitle } from "../app/useTitle";
import { Button } from "../ui/Button";
import "./login.css";

/** Asks for name and password. The address stays as it is, so that logging in leads to where the person wanted to go. */
export function LoginPage({ onLogin }: { onLogin: (me: Me) => void }) {
  useTitle("Log in");
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError("");
    try {
      onLogin(await login(username, password));
    } catch (problem) {
      setError(messageOf(problem));
      setBusy(false);
    }
  };
  return (
    <main className="login">
      <div className="login-box">
        <h1>
          <Logo size={26} />
          NAScope
        </h1>
        <form className="login-form" onSubmit={submit}>
          <label htmlFor="username">User name</label>
          <input
            id="username"
            className="input"
            autoComplete="username"
            autoCapitalize="none"
            autoFocus
            required
            value={username}
            onChange={(event) => setUsername(event.target.value)}
          />
          <label htmlFor="password">Password</label>
          <input
            id="password"
            className="input"
            type="password"
            autoComplete="current-password"
            required
            value={password}
            aria-invalid={error ? true : undefined}
            aria-describedby={error ? "login-error" : undefined}
            onChange={(event) => setPassword(event.target.value)}
          />
          {error && (
            <p className="error-text" id="login-error" role="alert">
              {error}
            </p>
          )}
          <Button kind="primary" type="submit" busy={busy}>
            {busy ? "Logging in" : "Log in"}
          </Button>
        </form>
        <div className="login-help">
          <h2>On your own machine?</h2>
          <p>
            <code>make run</code> prints a link that logs you in without a password. It works once; start NAScope again for a new one.
          </p>
        </div>
      </div>
    </main>
  );
}
