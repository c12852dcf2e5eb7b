interface Props {
  label: string;
  /** What stands behind the label: the value, for people. */
  shown: string;
  min: number;
  max: number;
  step: number;
  value: number;
  disabled?: boolean;
  onInput: (value: number) => void;
}

/** A labelled slider with its value in words. */
export function Slider({ label, shown, min, max, step, value, disabled, onInput }: Props) {
  const filled = max > min ? ((value - min) / (max - min)) * 100 : 0;
  return (
    <label class="slide">
      <span class="slide-label">{label}</span>
      <output>{shown}</output>
      <input
        type="range"
        class="slider"
        aria-valuetext={shown}
        min={min}
        max={max}
        step={step}
        value={value}
        disabled={disabled}
        style={{ "--filled": `${filled}%` }}
        onInput={(event) => onInput(Number(event.currentTarget.value))}
      />
    </label>
  );
}
