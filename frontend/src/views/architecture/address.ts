/** An architecture's text in an address: itself, or, where it is too long for one, the name under which this tab keeps it. */

const LONGEST = 4000;
const KEPT = "kept:";

/** The value for the address. `name`: unique for the text, its hash. */
export function toAddress(text: string, name: string): string {
  if (text.length <= LONGEST) return text;
  try {
    window.sessionStorage.setItem(KEPT + name, text);
    return KEPT + name;
  } catch {
    // No storage, or a full one: a long address works until the page is loaded anew.
    return text;
  }
}

/** The text of such a value; "" where this tab does not keep it (any more). */
export function fromAddress(value: string): string {
  if (!value.startsWith(KEPT)) return value;
  try {
    return window.sessionStorage.getItem(value) ?? "";
  } catch {
    return "";
  }
}

/** Options of a space as an address carries them; {} for what is none. */
export function readOptions(text: string | null): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? "{}");
    return value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
