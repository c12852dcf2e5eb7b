import { Component } from "preact";
import type * as history from "../features/history";
import type { Link } from "../lib/link";
import type { HistoryState } from "../lib/wire";

interface Props {
  link: Link;
  /** The run whose images are shown. */
  shown: number;
}

interface State {
  history: HistoryState | null;
  isOpen: boolean;
  feature: typeof history | null;
}

/** The runs that a folder keeps, once somebody opens them; nothing where no folder keeps any. */
export class PastRuns extends Component<Props, State> {
  override state: State = { history: null, isOpen: false, feature: null };
  #ending = new AbortController();

  override componentDidMount(): void {
    this.props.link.onTrait<HistoryState>("_history", this.#ending.signal, (history) =>
      this.setState({ history }),
    );
  }

  override componentWillUnmount(): void {
    this.#ending.abort();
  }

  #toggle = (): void => {
    const isOpen = !this.state.isOpen;
    this.setState({ isOpen });
    if (isOpen)
      this.props.link.load("history").then(
        (feature) => this.setState({ feature: feature as typeof history }),
        () => this.setState({ isOpen: false }),
      );
  };

  override render({ link, shown }: Props, { history, isOpen, feature }: State) {
    if (!history?.folder) return null;
    return (
      <>
        <div class="toggles">
          <button type="button" class="button" aria-expanded={isOpen} onClick={this.#toggle}>
            History <span class="many">{history.total.toLocaleString()}</span>
          </button>
        </div>
        {isOpen && feature && <feature.History link={link} state={history} shown={shown} />}
      </>
    );
  }
}
