import type { ChatRequest } from '../chat-model.ts';
import { isRefused } from '../parameters.ts';
import type { Quirks } from '../profiles.ts';
import { leftOut } from './sampling.ts';

/**
 * The temperature to send, if the model takes one.
 * @param warnings gets a sentence if it does not.
 */
export function takenTemperature(request: ChatRequest, quirks: Quirks, warnings: string[]): number | undefined {
  const { model, temperature } = request;
  if (temperature === undefined) return undefined;
  if (!quirks.reasoningModels?.test(model) && !isRefused('temperature', model, quirks.refusedParameters)) {
    return temperature;
  }
  warnings.push(leftOut('temperature', model));
  return undefined;
}
