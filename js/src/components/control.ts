import type { Control } from "../lib/fields";
import type { Field } from "../lib/wire";

/** What every control gets: its value, and the attributes that tie it to its label and message. */
export interface ControlProps {
  field: Field;
  value: Control;
  attributes: {
    id: string;
    "aria-invalid": boolean;
    "aria-describedby": string | undefined;
  };
  onEdit: (control: Control) => void;
  onLeave: () => void;
}
