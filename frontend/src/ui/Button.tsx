import type { ButtonHTMLAttributes } from "react";
import { Link, type LinkProps } from "../app/router";

export type ButtonKind = "plain" | "primary" | "danger" | "quiet";

function className(kind: ButtonKind, small: boolean | undefined, extra: string | undefined): string {
  return ["button", kind === "plain" ? "" : `button-${kind}`, small ? "button-small" : "", extra ?? ""].filter(Boolean).join(" ");
}

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: ButtonKind;
  small?: boolean;
  /** Something is under way: the button says so and takes no second click. */
  busy?: boolean;
}

export function Button({ kind = "plain", small, busy, className: extra, disabled, children, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      className={className(kind, small, extra)}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      {...rest}
    >
      {children}
    </button>
  );
}

export interface ButtonLinkProps extends LinkProps {
  kind?: ButtonKind;
  small?: boolean;
}

/** Looks like a button, is a link: for going somewhere. */
export function ButtonLink({ kind = "plain", small, className: extra, ...rest }: ButtonLinkProps) {
  return <Link className={className(kind, small, extra)} {...rest} />;
}
