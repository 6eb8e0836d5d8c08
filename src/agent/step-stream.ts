import type { ProviderEvent } from '../providers/chat-model.ts';
import type { OpenRun } from './open-run.ts';

/** Turns what the model says in a step into the run's events, as it comes. */
export class StepStream {
  readonly #run: OpenRun;
  readonly #step: number;
  readonly #showThinking: boolean;
  #thinkingSince: number | undefined;

  constructor(run: OpenRun, step: number, showThinking: boolean) {
    this.#run = run;
    this.#step = step;
    this.#showThinking = showThinking;
  }

  add(event: ProviderEvent): void {
    if (event.type === 'reasoning') this.#think(event.text);
    else if (event.type === 'text' && event.text !== '') {
      this.end();
      this.#run.emit('content', { step: this.#step, text: event.text });
    } else if (event.type === 'tool-call') this.end();
  }

  /** The model does not reason any more. */
  end(): void {
    if (this.#thinkingSince === undefined) return;
    const duration = Math.round(performance.now() - this.#thinkingSince);
    this.#thinkingSince = undefined;
    this.#run.emit('thinking:end', { step: this.#step, duration });
  }

  #think(text: string): void {
    if (!this.#showThinking || text === '') return;
    if (this.#thinkingSince === undefined) {
      this.#thinkingSince = performance.now();
      this.#run.emit('thinking:start', { step: this.#step });
    }
    this.#run.emit('thinking:update', { step: this.#step, text });
  }
}
