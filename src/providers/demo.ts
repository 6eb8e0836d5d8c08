import { newId } from '../core/ids.ts';
import { pause } from '../core/pause.ts';
import { withoutToolData } from '../core/tool-data.ts';
import { type AppError, abortError } from '../errors.ts';
import type { ChatAnswer, ChatModel, ChatRequest, FinishReason, ProviderEvent } from './chat-model.ts';
import { messageText, readScript, type Script } from './demo-script.ts';
import { nothingBeside } from './protocols/sampling.ts';
import { refusalError } from './transport/failure.ts';

/** The demo's only model. */
export const DEMO_MODEL = 'demo';

const MAX_EXCERPT = 200;

/** The model that works without a key or a network: for a first try, and for testing clients of this server. */
export function demoModel(): ChatModel {
  return {
    chat: (request, signal) =>
      Promise.try(() => {
        const script = readScript(request);
        if (script.fail) throw failure(script.fail);
        return { warnings: warningsFor(request), events: play(script, request, signal) };
      }),
  };
}

async function* play(script: Script, request: ChatRequest, signal: AbortSignal): ChatAnswer['events'] {
  const batches = request.stream ? streamed(script, request) : [streamed(script, request).flat()];
  const delayMs = request.stream ? script.delayMs : script.delayMs * (script.chunks ?? 0);
  const held = !request.stream && (script.stall || script.cut !== undefined);
  const gone = (): ProviderEvent[] => [{ type: 'error', error: abortError(signal) }];
  for (const batch of held ? [] : batches) {
    if (delayMs > 0 && !(await pause(delayMs, signal))) return yield gone();
    yield batch;
  }
  if (script.stall && !(await pause(undefined, signal))) return yield gone();
  if (script.cut) yield [{ type: 'error', error: failure(script.cut) }];
}

/** The whole answer as batches of events. A script that stalls or breaks off has no ending. */
function streamed(script: Script, request: ChatRequest): ProviderEvent[][] {
  const { text, finish } = answerText(script, request);
  const batches: ProviderEvent[][] = script.reasoning.map((line) => [{ type: 'reasoning', text: line }]);
  for (const piece of pieces(text, script.chunks)) batches.push([{ type: 'text', text: piece }]);
  if (script.stall || script.cut) return batches;
  const last: ProviderEvent[] = script.calls.map((call) => ({
    type: 'tool-call',
    call: { id: newId('call'), ...call },
  }));
  const promptTokens = countWords(request.messages.map(messageText).join(' '));
  const reasoningTokens = countWords(script.reasoning.join(' '));
  const completionTokens = countWords(text) + reasoningTokens;
  const usage = { promptTokens, completionTokens, totalTokens: promptTokens + completionTokens, reasoningTokens };
  last.push({ type: 'usage', usage }, { type: 'finish', reason: finish });
  batches.push(last);
  return batches;
}

function answerText(script: Script, request: ChatRequest): { text: string; finish: FinishReason } {
  const text = script.say ?? (script.calls.length > 0 ? '' : plainAnswer(script));
  const limit = Math.min(script.length ?? Number.POSITIVE_INFINITY, request.maxTokens ?? Number.POSITIVE_INFINITY);
  const words = text.split(/(?<=\s)(?=\S)/);
  if (words.length > limit) return { text: words.slice(0, limit).join('').trimEnd(), finish: 'length' };
  return { text, finish: script.calls.length > 0 ? 'tool-calls' : 'stop' };
}

function plainAnswer({ prompt, result, said }: Script): string {
  const also = said.length === 0 ? '' : `\nYou also said: ${said.map(quote).join(', ')}.`;
  if (result) return `Demo model: the tool ${result.toolName} answered: ${withoutToolData(result.text)}${also}`;
  const heard = prompt === '' ? 'You sent no text' : `You wrote: ${quote(prompt)}`;
  return `This is profclaw's built-in demo model, so this is a scripted answer and not a model's. ${heard}. The server works; give it a provider's key (for example ANTHROPIC_API_KEY) for real answers.${also}`;
}

/** An answer is no longer than its question: that would be no use as a summary, say. */
function quote(text: string): string {
  return text.length <= MAX_EXCERPT ? `“${text}”` : `“${text.slice(0, MAX_EXCERPT).toWellFormed()}…”`;
}

function pieces(text: string, chunks: number | undefined): string[] {
  if (text === '') return [];
  if (chunks === undefined) return text.split(/(?<=\s)(?=\S)/);
  const points = Array.from(text);
  return Array.from({ length: chunks }, (_, i) =>
    points.slice(Math.floor((i * points.length) / chunks), Math.floor(((i + 1) * points.length) / chunks)).join(''),
  ).map((piece) => piece || '.');
}

function failure({ status, message }: { status: number; message: string }): AppError {
  return refusalError({ provider: 'Demo', status, reading: { message, kinds: [] } });
}

function warningsFor(request: ChatRequest): string[] {
  const warnings = request.temperature === undefined ? [] : ['temperature: the demo model does not take it; left out'];
  nothingBeside(request, warnings);
  return warnings;
}

function countWords(text: string): number {
  return text.split(/\s+/).filter((word) => word !== '').length;
}
