/** Which field a pasted or dropped file is for. */
import type { Field } from "./wire";

export function accepts(field: Field, file: { type: string }): boolean {
  if (field.kind !== "image") return false;
  if (field.accept === "") return true;
  const [kind] = field.accept.split("/");
  return file.type === "" || file.type.startsWith(`${kind}/`);
}

/** The preferred field if it takes the file, else the first wanted one that does, else the first of all. */
export function fieldFor(
  fields: readonly Field[],
  file: { type: string },
  preferred?: string,
): Field | undefined {
  const able = fields.filter((field) => accepts(field, file));
  return able.find(({ name }) => name === preferred) ?? able.find(({ primary }) => primary) ?? able[0];
}
