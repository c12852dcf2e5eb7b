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

/** What a workflow of ComfyUI has, or the settings of another program; texts that are packed show their key only. */
const SIGNS =
  /"class_type"|"last_node_id"|^Steps: *\d|"sui_image_params"|"fooocus_scheme"|[zi]TXt(parameters|prompt|workflow)/m;

/** Whether a file may carry values, at first sight; whether it does, Python says. */
export async function carriesValues(file: File): Promise<boolean> {
  const ends = [file.slice(0, LOOKED), file.slice(Math.max(LOOKED, file.size - LOOKED))];
  const texts = await Promise.all(ends.map((part) => part.text()));
  // JPEG has its texts in UTF-16: without the zeros they are as any other.
  return texts.some((text) => SIGNS.test(text.replaceAll("\0", "")));
}
