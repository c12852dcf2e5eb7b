import { Component, type ComponentChild, type ComponentClass } from "preact";

/** A part of the state, as a `Cell` keeps it. */
interface Watched {
  subscribe(changed: () => void): () => void;
}

/** A component that renders again when one of these parts of the state has changed, and only then. */
export function watch(parts: () => readonly Watched[], view: () => ComponentChild): ComponentClass {
  return class extends Component {
    #stop: (() => void)[] = [];

    override componentDidMount(): void {
      this.#stop = parts().map((part) => part.subscribe(() => this.setState({})));
      // What changed between the first rendering and now.
      this.setState({});
    }

    override componentWillUnmount(): void {
      for (const stop of this.#stop) stop();
    }

    override shouldComponentUpdate(_props: unknown, state: unknown): boolean {
      return state !== this.state;
    }

    override render(): ComponentChild {
      return view();
    }
  };
}
