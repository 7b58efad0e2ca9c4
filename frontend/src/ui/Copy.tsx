import { useState } from "react";
import { Button } from "./Button";
import { toast } from "./toast";

/** Copies a text and says that it did. */
export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      setTimeout(() => setCopied(false), 1600);
    } catch {
      toast("The browser did not allow copying. Select the text and copy it by hand.", true);
    }
  };
  return (
    <Button small onClick={copy}>
      {copied ? "Copied" : label}
    </Button>
  );
}

/** A block of code or a command that one may copy. */
export function CodeBlock({ text, label }: { text: string; label?: string }) {
  return (
    <div className="code">
      <pre tabIndex={0} aria-label={label}>
        {text}
      </pre>
      <CopyButton text={text} />
    </div>
  );
}
