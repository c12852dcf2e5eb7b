import { Component, createRef } from "preact";
import { OwnTime } from "../lib/later";
import { showSigma } from "../lib/noise";
import { HEIGHT, heightOf, levelAt, moved, stepOf, WIDTH } from "../lib/schedule";
import type { ScheduleState } from "../lib/teaching";
import { Slider } from "./slider";

interface Props {
  state: ScheduleState;
  onLevels: (levels: readonly number[]) => void;
  onSteps: (steps: number) => void;
}

const GRID = [10, 1, 0.1];

/** The noise levels as a curve over the steps, in a logarithmic scale; every point can be dragged. */
export class Schedule extends Component<Props, { levels: readonly number[] }> {
  override state = { levels: this.props.state.levels as readonly number[] };
  #svg = createRef<SVGSVGElement>();
  readonly #own = new OwnTime();

  override componentWillUnmount(): void {
    this.#own.end();
  }

  override componentDidUpdate(before: Props): void {
    if (before.state.levels !== this.props.state.levels)
      this.#own.hear(() => this.setState({ levels: this.props.state.levels }));
  }

  #set(levels: readonly number[]): void {
    this.#own.touch();
    this.setState({ levels });
    this.props.onLevels(levels);
  }

  #move(index: number, level: number): void {
    const { lowest, highest } = this.props.state;
    this.#set(moved(this.state.levels, index, level, lowest, highest));
  }

  #drag = (index: number, event: PointerEvent): void => {
    if (event.buttons !== 1) return;
    const box = this.#svg.current?.getBoundingClientRect();
    if (box === undefined || box.height === 0) return;
    const { lowest, highest } = this.props.state;
    const y = ((event.clientY - box.top) / box.height) * HEIGHT;
    this.#move(index, levelAt(y, lowest, highest));
  };

  #key = (index: number, event: KeyboardEvent): void => {
    const factor = { ArrowUp: 1.05, ArrowDown: 1 / 1.05, PageUp: 1.3, PageDown: 1 / 1.3 }[event.key];
    if (factor === undefined) return;
    event.preventDefault();
    this.#move(index, (this.state.levels[index] ?? 0) * factor);
  };

  override render() {
    const { lowest, highest, known } = this.props.state;
    const { levels } = this.state;
    const points = levels.slice(0, -1);
    const x = (index: number) => stepOf(index, points.length);
    const y = (level: number) => heightOf(level, lowest, highest);
    const line = points.map((level, index) => `${x(index)},${y(level)}`).join(" ");
    return (
      <section class="teach">
        <fieldset class="row" aria-label="Known schedules">
          {known.map(({ name, levels: theirs }) => (
            <button
              key={name}
              type="button"
              class="button small"
              aria-pressed={theirs.every((level, index) => level === levels[index])}
              onClick={() => this.#set(theirs)}
            >
              {name}
            </button>
          ))}
        </fieldset>
        <svg ref={this.#svg} class="curve" viewBox={`0 0 ${WIDTH} ${HEIGHT}`}>
          <title>Noise levels</title>
          {GRID.map((level) => (
            <g key={level} class="grid-line">
              <line x1={40} x2={WIDTH - 8} y1={y(level)} y2={y(level)} />
              <text x={34} y={y(level) + 4}>
                {level}
              </text>
            </g>
          ))}
          <text class="axis" x={WIDTH - 8} y={HEIGHT - 4}>
            step
          </text>
          <text class="axis start" x={4} y={12}>
            σ
          </text>
          <polyline points={line} />
          {points.map((level, index) => (
            <circle
              key={index}
              cx={x(index)}
              cy={y(level)}
              r={points.length > 40 ? 4 : 7}
              tabIndex={0}
              role="slider"
              aria-label={`Step ${index + 1}`}
              aria-valuenow={level}
              aria-valuemin={lowest}
              aria-valuemax={highest}
              aria-valuetext={`sigma ${showSigma(level)}`}
              aria-orientation="vertical"
              onPointerDown={(event) => {
                event.currentTarget.setPointerCapture(event.pointerId);
                event.currentTarget.focus();
              }}
              onPointerMove={(event) => this.#drag(index, event)}
              onKeyDown={(event) => this.#key(index, event)}
            >
              <title>{`step ${index + 1}: σ = ${showSigma(level)}`}</title>
            </circle>
          ))}
        </svg>
        <Slider
          label="Steps"
          shown={String(points.length)}
          min={2}
          max={Math.max(40, points.length)}
          step={1}
          value={points.length}
          onInput={this.props.onSteps}
        />
      </section>
    );
  }
}
