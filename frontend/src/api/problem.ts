import type { FieldProblem } from "./types";

/** An error answer of the API (application/problem+json), or a network failure (`status` 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly field: string;
  readonly problems: FieldProblem[];
  readonly body: Record<string, unknown>;

  constructor(status: number, body: Record<string, unknown>) {
    const text = (key: string) => (typeof body[key] === "string" ? (body[key] as string) : "");
    super(text("detail") || text("title") || (status === 0 ? "The server cannot be reached." : `The server answered ${status}.`));
    this.name = "ApiError";
    this.status = status;
    this.code = text("code") || (status === 0 ? "offline" : `http_${status}`);
    this.field = text("field");
    this.problems = Array.isArray(body["problems"]) ? (body["problems"] as FieldProblem[]) : [];
    this.body = body;
  }
}

/** A sentence for the person in front of the screen. */
export function messageOf(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  if (error instanceof Error) return error.message;
  return String(error);
}
