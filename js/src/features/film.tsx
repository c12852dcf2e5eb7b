import { Component } from "preact";
import { BlobImage } from "../components/blob-image";
import { Chevron } from "../components/icons";
import { toBlob } from "../lib/bytes";
import { save } from "../lib/keep";
import type { Link } from "../lib/link";
import { numberOf } from "../lib/number-of";
import type { FilmState } from "../lib/wire";
import css from "../style/film.css?inline";

interface Props {
  link: Link;
}

interface State {
  film: FilmState;
  isOpen: boolean;
  frames: readonly (Blob | undefined)[];
  at: number;
  isPlaying: boolean;
  fps: number;
  told: string;
}

const RATES = [4, 8, 12, 24];
const NOTHING = { frames: [], at: 0, isPlaying: false, told: "" };

/** The previews of the last run under a slider, to play and to keep. */
export class Film extends Component<Props, State> {
  override state: State = { ...NOTHING, film: { run: 0, frames: 0 }, isOpen: false, fps: 8 };
  #ending = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  override componentDidMount(): void {
    const { link } = this.props;
    const { signal } = this.#ending;
    link.onTrait<FilmState | undefined>("_film", signal, (film) => {
      if (film?.run === undefined) return;
      clearTimeout(this.#timer);
      this.setState({ ...NOTHING, film });
      if (this.state.isOpen && film.frames > 0) this.#want(film);
    });
    link.onMessage(signal, (message, buffers) => {
      if (message.kind === "film" && message.run === this.state.film.run) {
        this.setState(({ frames }) => {
          const all = Array.from({ length: message.total }, (_, index) => frames[index]);
          message.mimes.forEach((mime, index) => {
            const bytes = buffers[index];
            if (bytes !== undefined) all[message.start + index] = toBlob(bytes, mime);
          });
          return { frames: all };
        });
      }
      if (message.kind === "film_file") {
        const [bytes] = buffers;
        if (message.error === "" && bytes !== undefined) save(toBlob(bytes, message.mime), message.name);
        this.setState({ told: message.error });
      }
    });
  }

  override componentWillUnmount(): void {
    this.#ending.abort();
    clearTimeout(this.#timer);
  }

  #want({ run }: FilmState): void {
    this.props.link.send({ kind: "film", run });
  }

  #toggle = () => {
    const isOpen = !this.state.isOpen;
    this.setState({ isOpen, isPlaying: false });
    clearTimeout(this.#timer);
    if (isOpen && this.state.frames.length === 0) this.#want(this.state.film);
  };

  #play = () => {
    clearTimeout(this.#timer);
    const { isPlaying, at, frames } = this.state;
    this.setState({ isPlaying: !isPlaying, at: !isPlaying && at >= frames.length - 1 ? 0 : at });
    if (!isPlaying) this.#next();
  };

  #next(): void {
    this.#timer = setTimeout(() => {
      const { at, frames } = this.state;
      const isLast = at >= frames.length - 1;
      this.setState(isLast ? { isPlaying: false } : { at: at + 1 });
      if (!isLast) this.#next();
    }, 1000 / this.state.fps);
  }

  #save(form: "gif" | "webp"): void {
    this.setState({ told: "Writing the file …" });
    this.props.link.send({ kind: "save_film", run: this.state.film.run, form, fps: this.state.fps });
  }

  override render(_: Props, { film, isOpen, frames, at, isPlaying, fps, told }: State) {
    if (film.frames === 0) return null;
    const frame = frames[at];
    const last = Math.max(0, film.frames - 1);
    return (
      <section class="film" aria-label="Filmstrip">
        <style>{css}</style>
        <button type="button" class="fold" aria-expanded={isOpen} onClick={this.#toggle}>
          <Chevron />
          Filmstrip{" "}
          <span>
            Run {film.run} · {numberOf(film.frames, "image")}
          </span>
        </button>
        {isOpen && (
          <div class="strip-of-film">
            <div class="frame">
              {frame !== undefined && <BlobImage blob={frame} alt={`Image ${at + 1} of ${film.frames}`} />}
            </div>
            <div class="tracks">
              <button type="button" class="button" onClick={this.#play}>
                {isPlaying ? "Pause" : "Play"}
              </button>
              <input
                type="range"
                class="slider"
                aria-label="Image of the film"
                aria-valuetext={`${at + 1} of ${film.frames}`}
                min={0}
                max={last}
                value={at}
                style={{ "--filled": `${(100 * at) / (last || 1)}%` }}
                onInput={({ currentTarget }) => {
                  clearTimeout(this.#timer);
                  this.setState({ at: Number(currentTarget.value), isPlaying: false });
                }}
              />
              <span class="count">
                {at + 1} / {film.frames}
              </span>
            </div>
            <div class="tracks">
              <label>
                <select
                  class="control"
                  aria-label="Images a second"
                  value={fps}
                  onChange={({ currentTarget }) => this.setState({ fps: Number(currentTarget.value) })}
                >
                  {RATES.map((rate) => (
                    <option key={rate} value={rate}>
                      {rate} a second
                    </option>
                  ))}
                </select>
              </label>
              <button type="button" class="button" onClick={() => this.#save("gif")}>
                Save GIF
              </button>
              <button type="button" class="button" onClick={() => this.#save("webp")}>
                Save WebP
              </button>
            </div>
            {told !== "" && <p role="status">{told}</p>}
          </div>
        )}
      </section>
    );
  }
}
