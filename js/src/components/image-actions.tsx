import { Component } from "preact";
import { GalleryStore, keyOf, type Place } from "../lib/gallery-store";
import type { ShownImage } from "../lib/images";
import { copy, save } from "../lib/keep";
import type { Link } from "../lib/link";
import type { Field } from "../lib/wire";
import { Download } from "./icons";
import { Copy, Halves, Input, Nodes, Star } from "./image-icons";

export interface Picked extends Place {
  /** None where it belongs to a run that is not shown. */
  image: ShownImage | null;
}

interface Props {
  link: Link;
  picked: readonly Picked[];
  /** Fields that take an image; none where there is no form. */
  inputs: readonly Field[];
  /** Look at two of them together. */
  onCompare?: (() => void) | undefined;
  /** Look at the workflow of one. */
  onWorkflow: () => void;
}

interface State {
  /** What became of the last action, in words. */
  told: string;
}

export function Tool(props: {
  label: string;
  icon: preact.JSX.Element;
  keys?: string;
  pressed?: boolean;
  onClick: () => void;
}) {
  const { label, icon, keys, pressed, onClick } = props;
  return (
    <button
      type="button"
      class="plain"
      aria-label={label}
      aria-pressed={pressed}
      aria-keyshortcuts={keys}
      title={keys === undefined ? label : `${label} (${keys})`}
      onClick={onClick}
    >
      {icon}
    </button>
  );
}

/** What can be done with the images that were picked, and what became of it. */
export class ImageActions extends Component<Props, State> {
  override state: State = { told: "" };

  #whole(place: Picked): Promise<ShownImage> {
    return GalleryStore.of(this.props.link).whole(place, place.image);
  }

  #copy = (one: Picked) => {
    copy(this.#whole(one).then(({ blob }) => blob)).then(
      () => this.setState({ told: "Copied" }),
      (error: Error) => this.setState({ told: `The browser does not copy it: ${error.message}` }),
    );
  };

  #save = async () => {
    for (const one of this.props.picked) {
      const { blob, name } = await this.#whole(one);
      save(blob, name);
    }
  };

  #use = (one: Picked, field: Field) => {
    this.props.link.send({ kind: "use_image", run: one.run, index: one.index, field: field.name });
    this.setState({ told: `Now the input “${field.label}”` });
  };

  #star = () => {
    const store = GalleryStore.of(this.props.link);
    const keys = this.props.picked.map(keyOf);
    const starred = new Set(store.starred.value);
    const all = keys.every((key) => starred.has(key));
    for (const key of keys) {
      if (all) starred.delete(key);
      else starred.add(key);
    }
    store.star(starred);
  };

  override render({ link, picked, inputs, onCompare, onWorkflow }: Props, { told }: State) {
    const [one] = picked;
    if (one === undefined) return null;
    const { starred } = GalleryStore.of(link);
    const isStarred = picked.every((place) => starred.value.has(keyOf(place)));
    const [field] = inputs;
    return (
      <>
        {told !== "" && (
          <span class="told" role="status">
            {told}
          </span>
        )}
        {onCompare !== undefined && <Tool label="Compare" icon={<Halves />} onClick={onCompare} />}
        <Tool label="Star" icon={<Star />} keys="S" pressed={isStarred} onClick={this.#star} />
        {picked.length === 1 && (
          <>
            <Tool label="Copy" icon={<Copy />} onClick={() => this.#copy(one)} />
            {field !== undefined && inputs.length === 1 && (
              <Tool
                label={`Use as input: ${field.label}`}
                icon={<Input />}
                onClick={() => this.#use(one, field)}
              />
            )}
            {inputs.length > 1 && (
              <select
                class="inputs"
                aria-label="Use as input"
                value=""
                onChange={({ currentTarget }) => {
                  const chosen = inputs.find(({ name }) => name === currentTarget.value);
                  currentTarget.value = "";
                  if (chosen !== undefined) this.#use(one, chosen);
                }}
              >
                <option value="" disabled>
                  Use as …
                </option>
                {inputs.map(({ name, label }) => (
                  <option key={name} value={name}>
                    {label}
                  </option>
                ))}
              </select>
            )}
            <Tool label="Open workflow" icon={<Nodes />} keys="W" onClick={onWorkflow} />
          </>
        )}
        <Tool
          label={picked.length > 1 ? `Save ${picked.length} images` : "Save"}
          icon={<Download />}
          onClick={this.#save}
        />
      </>
    );
  }
}
