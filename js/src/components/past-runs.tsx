import { Component } from "preact";
import type * as history from "../features/history";
import type { Link } from "../lib/link";
import type { HistoryState } from "../lib/wire";

interface Props {
  link: Link;
  history: HistoryState;
  /** The run whose images are shown. */
  shown: number;
}

interface State {
  isOpen: boolean;
  feature: typeof history | null;
}

/** The runs that a folder keeps, once somebody opens them. */
export class PastRuns extends Component<Props, State> {
  override state: State = { isOpen: false, feature: null };

  #toggle = (): void => {
    const isOpen = !this.state.isOpen;
    this.setState({ isOpen });
    if (isOpen)
      this.props.link.load("history").then(
        (feature) => this.setState({ feature: feature as typeof history }),
        () => this.setState({ isOpen: false }),
      );
  };

  override render({ link, history, shown }: Props, { isOpen, feature }: State) {
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
