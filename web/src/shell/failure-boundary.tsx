import { Component, type ReactNode } from 'react';

interface Props {
  /** Where one is: elsewhere it is tried again. */
  place: string;
  children: ReactNode;
}

/** Stands in for a page that has failed, so that everything around it goes on working. */
export class FailureBoundary extends Component<Props, { error: Error | undefined }> {
  override state: { error: Error | undefined } = { error: undefined };

  static getDerivedStateFromError(error: unknown): { error: Error } {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override componentDidUpdate(before: Props): void {
    if (before.place !== this.props.place && this.state.error) this.setState({ error: undefined });
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <div role="alert" className="frame-notice stack">
        <h1>This page has failed</h1>
        <p>Loading it again helps if the server was updated in the meantime.</p>
        <p className="small muted">{error.message}</p>
        <div>
          <button type="button" className="primary" onClick={() => window.location.reload()}>
            Load again
          </button>
        </div>
      </div>
    );
  }
}
