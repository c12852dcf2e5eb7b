interface Props {
  selected: number;
  onCompare: () => void;
}

/** What the keys do, and what can be done with the cells that are selected. */
export function SweepFoot({ selected, onCompare }: Props) {
  return (
    <footer class="foot">
      <p class="hints">
        <kbd>1</kbd>–<kbd>5</kbd> rate · <kbd>x</kbd> reject · <kbd>space</kbd> select · <kbd>c</kbd> compare
        two · arrows move
      </p>
      <span class="quiet">{selected > 0 ? `${selected} selected` : ""}</span>
      <button type="button" class="button small" disabled={selected !== 2} onClick={onCompare}>
        Compare two
      </button>
    </footer>
  );
}
