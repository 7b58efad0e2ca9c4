/** Rows as text: what the fields of a form are sent as, and what a sample's lines hold. */

/** A cell, in quotes where it must be. */
const cell = (text: string): string => (/[",\n\r;\t]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** A line of names and a line of values. */
export function rowText(names: readonly string[], values: readonly string[]): string {
  return `${names.map(cell).join(",")}\n${names.map((_, place) => cell(values[place] ?? "")).join(",")}\n`;
}

/** The cells of the lines of a comma-separated text, quotes taken off. */
export function cellsOf(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let found = "";
  let quoted = false;
  for (let place = 0; place < text.length; place++) {
    const letter = text[place];
    if (quoted) {
      if (letter !== '"') found += letter;
      else if (text[place + 1] === '"') {
        found += '"';
        place++;
      } else quoted = false;
    } else if (letter === '"') quoted = true;
    else if (letter === "," || letter === "\n") {
      row.push(found.replace(/\r$/, ""));
      found = "";
      if (letter === "\n") {
        rows.push(row);
        row = [];
      }
    } else found += letter;
  }
  if (found || row.length) rows.push([...row, found]);
  return rows;
}

/** The first line of names and the first example of a sample, as one to begin with. */
export function firstExample(sample: string): string {
  const [head, first] = cellsOf(sample);
  return head && first ? rowText(head, first) : "";
}
