import type { AppError } from '../errors.ts';
import type { FinishReason, ProviderEvent, ToolCall, Usage } from '../providers/types.ts';

/** Gathers the events of one answer. */
export class Answer {
  text = '';
  reasoning = '';
  readonly toolCalls: ToolCall[] = [];
  /** Undefined as long as the provider has given no counts. */
  usage: Usage | undefined;
  finishReason: FinishReason = 'stop';
  error: AppError | undefined;

  add(event: ProviderEvent): void {
    switch (event.type) {
      case 'text':
        this.text += event.text;
        break;
      case 'reasoning':
        this.reasoning += event.text;
        break;
      case 'tool-call':
        this.toolCalls.push(event.call);
        break;
      case 'usage':
        this.usage = event.usage;
        break;
      case 'finish':
        this.finishReason = event.reason;
        break;
      case 'error':
        this.error = event.error;
        break;
    }
  }
}
