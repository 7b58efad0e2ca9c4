/** What somebody gives to a model: a file, or a text as one; null is the sample in its download. */
export interface Given {
  file: Blob | null;
  name: string;
  invert?: boolean;
}

export const asFile = (text: string): Given => ({ file: new Blob([text], { type: "text/csv" }), name: "row.csv" });
