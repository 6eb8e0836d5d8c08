import type { ChatRequest } from '../chat-model.ts';
import type { Quirks } from '../profiles.ts';

/**
 * The temperature to send, if the model takes one.
 * @param warnings gets a sentence if it does not.
 */
export function takenTemperature(request: ChatRequest, quirks: Quirks, warnings: string[]): number | undefined {
  const { model, temperature } = request;
  if (temperature === undefined || !quirks.reasoningModels?.test(model)) return temperature;
  warnings.push(`temperature: ${model} does not take it; left out`);
  return undefined;
}
