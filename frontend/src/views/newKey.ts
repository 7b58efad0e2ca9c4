/** A fresh idempotency key. `crypto.randomUUID` exists only on https and localhost; a plain http server on the network has neither. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
