import type { ComponentChildren } from "preact";
import type { ImageInputProps } from "../features/image-input";
import type { Draft } from "../lib/drafts";
import type { Control } from "../lib/fields";
import type { Link } from "../lib/link";
import type { Field, SeedMode } from "../lib/wire";
import { Choice } from "./choice";
import type { ControlProps } from "./control";
import { useFeature } from "./feature";
import { NumberInput } from "./number-input";
import { SeedInput, SeedModeSelect } from "./seed-input";
import { Switch } from "./switch";
import { TextArea, TextInput } from "./text-input";

export interface FormActions {
  onEdit: (field: Field, control: Control) => void;
  onLeave: (field: Field) => void;
  onMode: (field: Field, mode: SeedMode) => void;
  onUpload: (field: Field, file: File) => void;
  link: Link;
}

export interface FieldProps {
  field: Field;
  draft: Draft;
  /** Unique in its shadow root; the label and the message refer to it. */
  id: string;
  /** Of a seed. */
  mode: SeedMode | undefined;
  thumbnail: Blob | undefined;
  /** The nearest choice, where the value is none. */
  hint: string | undefined;
  /** What the last run said about this field. */
  complaint: string;
  actions: FormActions;
}

const WIDE = new Set(["text", "json", "seed", "image", "many"]);
/** More letters than half a column has room for. */
const LONG = 18;

function isWide({ kind, choices, label }: Field, value: Control): boolean {
  if (WIDE.has(kind) || label.length > LONG) return true;
  return (
    (kind === "string" || kind === "choice") &&
    [value, ...(choices ?? [])].some((text) => String(text).length > LONG)
  );
}

export function FieldRow(props: FieldProps) {
  const { field, draft, id, actions } = props;
  const error = draft.error || props.complaint;
  const messageId = `${id}-message`;
  const control: ControlProps = {
    field,
    value: draft.control,
    attributes: {
      id,
      "aria-invalid": error !== "",
      "aria-describedby": error === "" ? undefined : messageId,
    },
    onEdit: (value) => actions.onEdit(field, value),
    onLeave: () => actions.onLeave(field),
  };
  // What is in a fieldset is disabled with it.
  const Row = field.locked ? "fieldset" : "div";
  return (
    <Row
      class={isWide(field, draft.control) ? "field wide" : "field"}
      disabled={field.locked || undefined}
      data-name={field.name}
      data-invalid={error !== ""}
    >
      <label class="name" for={id} title={field.tooltip || undefined}>
        {field.label}
      </label>
      <ControlOf {...props} control={control} />
      {props.mode && (
        <SeedModeSelect
          label={field.label}
          mode={props.mode}
          onChange={(mode) => actions.onMode(field, mode)}
        />
      )}
      {error !== "" && (
        <p class="message" id={messageId}>
          {error}
          {props.hint && " "}
          {props.hint && (
            <button
              type="button"
              class="hint"
              onClick={() => {
                actions.onEdit(field, props.hint ?? "");
                actions.onLeave(field);
              }}
            >
              Use {props.hint}
            </button>
          )}
        </p>
      )}
    </Row>
  );
}

function ControlOf({ field, control, thumbnail, actions }: FieldProps & { control: ControlProps }) {
  switch (field.kind) {
    case "text":
    case "json":
      return <TextArea {...control} />;
    case "int":
    case "float":
      return <NumberInput {...control} />;
    case "seed":
      return <SeedInput {...control} />;
    case "choice":
      return <Choice {...control} />;
    case "bool":
      return <Switch {...control} />;
    case "image":
      return (
        <FileInput
          field={field}
          value={String(control.value)}
          link={actions.link}
          thumbnail={thumbnail}
          onUpload={(file) => actions.onUpload(field, file)}
        >
          {field.choices === null ? <TextInput {...control} /> : <Choice {...control} />}
        </FileInput>
      );
    case "color":
    case "many":
      return <Pick {...control} />;
    default:
      return <TextInput {...control} />;
  }
}

function Pick(props: ControlProps) {
  const picks = useFeature("picks", true);
  if (picks === null) return <TextInput {...props} />;
  return props.field.kind === "many" ? <picks.Many {...props} /> : <picks.Color {...props} />;
}

/** Until its feature is there, a file is a name. */
function FileInput(props: ImageInputProps): ComponentChildren {
  const feature = useFeature("image-input", true);
  return feature === null ? props.children : <feature.ImageInput {...props} />;
}
