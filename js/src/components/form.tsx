import type { Drafts } from "../lib/drafts";
import type { Field, Values } from "../lib/wire";
import { useFeature } from "./feature";
import { FieldRow, type FormActions } from "./field";
import { Fold } from "./fold";

export interface FormProps {
  fields: readonly Field[];
  drafts: Drafts;
  modes: Values["modes"];
  thumbnails: Readonly<Record<string, Blob>>;
  hints: Values["hints"];
  /** What the last run complained about, by field. */
  complaints: Readonly<Record<string, string>>;
  actions: FormActions;
}

/** The prompts; and, as a part of its own, the other wanted fields and all the rest under their nodes. */
export function Form(props: FormProps) {
  const { fields } = props;
  const rows = (chosen: readonly Field[]) =>
    chosen.map((field) => <Row key={field.name} {...props} field={field} index={fields.indexOf(field)} />);
  const wanted = fields.filter((field) => field.primary);
  const rest = fields.filter((field) => !field.primary);
  const hasTrouble = (field: Field) =>
    Boolean(props.drafts[field.name]?.error || props.complaints[field.name]);
  const more = useFeature("more", true);
  // Nobody asked for them: they are folded away, unless they are all there is.
  const settings = more && <more.Settings fields={rest} rows={rows} hasTrouble={hasTrouble} />;
  return (
    <>
      <div class="fields prompts">{rows(wanted.filter((field) => field.kind === "text"))}</div>
      <div class="settings">
        <div class="fields">{rows(wanted.filter((field) => field.kind !== "text"))}</div>
        {rest.length > 0 &&
          (wanted.length === 0 ? (
            <div class="inside">{settings}</div>
          ) : (
            <Fold title="More settings" open={rest.some(hasTrouble)} class="more">
              {settings}
            </Fold>
          ))}
        {/* Its place is kept free until it comes. */}
        <div style="min-height:26px">{more && <more.Lists link={props.actions.link} />}</div>
      </div>
    </>
  );
}

function Row({ field, index, ...props }: FormProps & { field: Field; index: number }) {
  const draft = props.drafts[field.name];
  if (draft === undefined) return null;
  return (
    <FieldRow
      field={field}
      draft={draft}
      id={`field-${index}`}
      mode={props.modes[field.name]}
      thumbnail={props.thumbnails[field.name]}
      hint={props.hints[field.name]}
      complaint={props.complaints[field.name] ?? ""}
      actions={props.actions}
    />
  );
}
