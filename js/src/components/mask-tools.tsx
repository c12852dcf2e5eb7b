export type MaskAct = "clear" | "invert" | "undo" | "redo";

interface Props {
  isEraser: boolean;
  brush: number;
  /** The largest brush. */
  largest: number;
  feather: number;
  canUndo: boolean;
  canRedo: boolean;
  canUse: boolean;
  onTool: (isEraser: boolean) => void;
  onBrush: (brush: number) => void;
  onFeather: (feather: number) => void;
  onAct: (act: MaskAct) => void;
  onCancel: () => void;
  onUse: () => void;
}

/** The tools of a mask: brush, feather, and what undoes and ends it. */
export function MaskTools(props: Props) {
  const { isEraser, brush, largest, feather, canUndo, canRedo, canUse, onAct } = props;
  return (
    <div class="tools-of-mask" role="toolbar" aria-label="Mask">
      <fieldset class="modes" aria-label="Tool">
        <button type="button" aria-pressed={!isEraser} title="B" onClick={() => props.onTool(false)}>
          Paint
        </button>
        <button type="button" aria-pressed={isEraser} title="E" onClick={() => props.onTool(true)}>
          Erase
        </button>
      </fieldset>
      <label title="[ and ]">
        Size
        <input
          type="range"
          min={1}
          max={largest}
          value={brush}
          onInput={({ currentTarget }) => props.onBrush(Number(currentTarget.value))}
        />
      </label>
      <label title="How far the edges become soft">
        Feather
        <input
          type="range"
          min={0}
          max={64}
          value={feather}
          onInput={({ currentTarget }) => props.onFeather(Number(currentTarget.value))}
        />
      </label>
      <span class="acts">
        <button type="button" aria-disabled={!canUndo} title="Ctrl+Z" onClick={() => onAct("undo")}>
          Undo
        </button>
        <button type="button" aria-disabled={!canRedo} title="Ctrl+Y" onClick={() => onAct("redo")}>
          Redo
        </button>
        <button type="button" title="I" onClick={() => onAct("invert")}>
          Invert
        </button>
        <button type="button" onClick={() => onAct("clear")}>
          Clear
        </button>
      </span>
      <span class="ends">
        <button type="button" class="button" onClick={props.onCancel}>
          Cancel
        </button>
        <button type="button" class="button primary" aria-disabled={!canUse} onClick={props.onUse}>
          Use the mask
        </button>
      </span>
    </div>
  );
}
