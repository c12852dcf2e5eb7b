import { useEffect, useRef, useState } from "preact/hooks";
import type { ControlProps } from "../components/control";
import { ChevronDown } from "../components/icons";
import { nameOf } from "../lib/fields";
import { matches } from "../lib/search";
import type { Wire } from "../lib/wire";
import css from "../style/combobox.css?inline";

/** A long list of choices with a search, after the ARIA pattern of an editable combobox. */
export function Combobox({
  value,
  attributes,
  onEdit,
  onLeave,
  choices,
}: ControlProps & { choices: readonly Wire[] }) {
  const [query, setQuery] = useState<string | null>(null);
  const [active, setActive] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const isOpen = query !== null;
  const found = isOpen ? matching(choices, query) : [];
  const listId = `${attributes.id}-list`;
  const optionId = (index: number) => `${attributes.id}-option-${index}`;

  // The list lies over the page, where no output area can cut it off, just under its field.
  useEffect(() => {
    const popup = list.current;
    if (!isOpen || popup === null) return;
    const close = () => setQuery(null);
    popup.showPopover?.();
    place(popup, box.current);
    const page = popup.ownerDocument;
    const closeOnScroll = (event: Event) => {
      if (event.composedPath()[0] !== popup) close();
    };
    page.addEventListener("scroll", closeOnScroll, { capture: true, passive: true });
    page.defaultView?.addEventListener("resize", close);
    return () => {
      page.removeEventListener("scroll", closeOnScroll, { capture: true });
      page.defaultView?.removeEventListener("resize", close);
    };
  }, [isOpen]);
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [active, isOpen]);

  const open = () => {
    if (isOpen) return;
    setQuery("");
    setActive(Math.max(0, choices.indexOf(value)));
  };
  const pick = (choice: Wire | undefined) => {
    setQuery(null);
    if (choice === undefined) return;
    onEdit(choice);
    onLeave();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      if (isOpen) setActive(Math.min(found.length - 1, Math.max(0, active + step)));
      else open();
    } else if (event.key === "Enter" && isOpen && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      event.stopPropagation();
      pick(found[active]);
    } else if (event.key === "Escape" && isOpen) {
      event.preventDefault();
      event.stopPropagation();
      setQuery(null);
    }
  };

  return (
    <div class="select" ref={box}>
      <style>{css}</style>
      <input
        {...attributes}
        class="control"
        type="text"
        role="combobox"
        autocomplete="off"
        spellcheck={false}
        aria-expanded={isOpen}
        aria-controls={listId}
        aria-autocomplete="list"
        aria-activedescendant={isOpen && found.length > 0 ? optionId(active) : undefined}
        placeholder={nameOf(value)}
        value={query === null ? nameOf(value) : query}
        onClick={open}
        onInput={(event) => {
          setQuery(event.currentTarget.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
        onBlur={() => setQuery(null)}
      />
      <ChevronDown />
      {isOpen && (
        <div ref={list} id={listId} class="options" role="listbox" popover="manual">
          {found.map((choice, index) => (
            // The keyboard is handled by the input, which keeps the focus.
            // biome-ignore lint/a11y/useFocusableInteractive: see above
            // biome-ignore lint/a11y/useKeyWithClickEvents: see above
            <div
              key={nameOf(choice)}
              id={optionId(index)}
              role="option"
              aria-selected={index === active}
              data-current={choice === value}
              onMouseDown={(event) => event.preventDefault()}
              onMouseMove={() => setActive(index)}
              onClick={() => pick(choice)}
            >
              {nameOf(choice)}
            </div>
          ))}
          {found.length === 0 && <div class="nothing">Nothing matches “{query}”.</div>}
        </div>
      )}
    </div>
  );
}

/** The choices that contain every word of the query. */
export function matching(choices: readonly Wire[], query: string): Wire[] {
  return choices.filter((choice) => matches(query, [nameOf(choice)]));
}

const GAP = 4;
const ROOM = 280;

function place(popup: HTMLElement, field: HTMLElement | null): void {
  if (field === null) return;
  const at = field.getBoundingClientRect();
  const below = window.innerHeight - at.bottom - GAP;
  const isAbove = below < Math.min(ROOM, 160) && at.top > below;
  const room = Math.min(ROOM, (isAbove ? at.top : below) - 2 * GAP);
  Object.assign(popup.style, {
    left: `${at.left}px`,
    width: `${at.width}px`,
    maxHeight: `${room}px`,
    top: isAbove ? "auto" : `${at.bottom + GAP}px`,
    bottom: isAbove ? `${window.innerHeight - at.top + GAP}px` : "auto",
  });
}
