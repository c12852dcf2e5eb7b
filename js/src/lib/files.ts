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

/** How much of a file's beginning and end is looked through: PNG has its texts in front, WebP at the end. */
const LOOKED = 512 * 1024;

/** Whether a file may carry a workflow of ComfyUI, at first sight; whether it does, Python says. */
export async function carriesWorkflow(file: File): Promise<boolean> {
  const ends = [file.slice(0, LOOKED), file.slice(Math.max(LOOKED, file.size - LOOKED))];
  const texts = await Promise.all(ends.map((part) => part.text()));
  return texts.some((text) => text.includes('"class_type"') || text.includes('"last_node_id"'));
}
