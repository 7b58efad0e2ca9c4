import { Component, type ErrorInfo, type ReactNode } from "react";
import { Failure } from "../ui/States";

/** Keeps the header usable when a page breaks. Give it the address as `key`, so that going elsewhere mends it. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: undefined };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override componentDidCatch(error: unknown, info: ErrorInfo) {
    console.error(error, info.componentStack);
  }

  override render() {
    if (this.state.error === undefined) return this.props.children;
    return (
      <div className="page">
        <Failure what="This page broke" error={this.state.error} retry={() => this.setState({ error: undefined })} />
      </div>
    );
  }
}
