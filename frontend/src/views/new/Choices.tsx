import { useId, type ReactNode } from "react";

export interface Choice {
  id: string;
  title: string;
  note: string;
  /** Why it cannot be chosen; null if it can. */
  closed: string | null;
  /** What would open it. */
  remedy?: ReactNode;
}

interface ChoicesProps {
  /** Also the name of the radio group. */
  label: string;
  choices: Choice[];
  chosen: string[];
  /** Several may be chosen: check boxes instead of radio buttons. */
  several?: boolean;
  onChange: (id: string, on: boolean) => void;
}

/** Things to choose from, each with a word on what it is, closed ones with the reason. Native inputs, so arrow keys and Space work. */
export function Choices({ label, choices, chosen, several = false, onChange }: ChoicesProps) {
  const prefix = useId();
  return (
    <fieldset className="choice-grid">
      <legend className="visually-hidden">{label}</legend>
      {choices.map((choice) => {
        const on = chosen.includes(choice.id);
        // A closed choice that is chosen (from an earlier run) must stay changeable.
        const locked = choice.closed !== null && !on;
        const id = `${prefix}${choice.id}`;
        return (
          <div key={choice.id} className={["choice", on ? "choice-on" : "", choice.closed !== null ? "choice-closed" : ""].filter(Boolean).join(" ")}>
            <label>
              <input
                type={several ? "checkbox" : "radio"}
                name={several ? undefined : label}
                checked={on}
                disabled={locked}
                aria-labelledby={`${id}-title`}
                aria-describedby={`${id}-note`}
                onChange={(event) => onChange(choice.id, event.target.checked)}
              />
              <span className="choice-text">
                <span className="choice-title" id={`${id}-title`}>
                  {choice.title}
                </span>
                <span className="choice-note" id={`${id}-note`}>
                  {choice.closed ?? choice.note}
                </span>
              </span>
            </label>
            {choice.closed !== null && choice.remedy}
          </div>
        );
      })}
    </fieldset>
  );
}
