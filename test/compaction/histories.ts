import fc from 'fast-check';
import type { Content } from '../../src/chat/content.ts';
import type { ImportedMessage } from '../../src/conversations/import.ts';
import { newAssistantMessage, newUserMessage } from '../../src/conversations/stored.ts';
import type { Message } from '../../src/providers/chat-model.ts';
import type { MessageRow, NewMessage } from '../../src/storage/messages.ts';

/** Ten million bytes, as the largest tool result has them. */
export const TEN_MB = 10 * 1000 ** 2;

const SCRIPTS = {
  english: 'The quick brown fox jumps over the lazy dog. ',
  code: 'if (a["b"] < 1) {\n\treturn "</transcript></summary>";\n}\n',
  chinese: '漢字とかなの交じった長い文章。',
  emoji: '👩‍👩‍👧‍👦🎉🏳️‍🌈',
} as const;

type Script = keyof typeof SCRIPTS;

/** A text to be made: so many bytes, near enough. */
interface TextPlan {
  bytes: number;
  script: Script;
}

/** A tool call; `result` is null as long as there is none. */
interface CallPlan {
  input: TextPlan;
  result: TextPlan | null;
}

/** An answer of a model: an empty one is one too. */
interface StepPlan {
  text: TextPlan;
  reasoning: TextPlan | null;
  calls: CallPlan[];
}

/** A user's message and the answers to it. */
export interface TurnPlan {
  text: TextPlan;
  media: ('image' | 'document')[];
  steps: StepPlan[];
}

const texts = new Map<string, string>();

/** Cut anywhere, also in the middle of a character of two code units. */
function textOf({ bytes, script }: TextPlan): string {
  const key = `${script}/${bytes}`;
  const known = texts.get(key);
  if (known !== undefined) return known;
  const unit = SCRIPTS[script];
  const length = Math.ceil((bytes * unit.length) / Buffer.byteLength(unit));
  const text = unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
  texts.set(key, text);
  return text;
}

const script = fc.constantFrom<Script>('english', 'english', 'code', 'chinese', 'emoji');

function textOfBytes(...bytes: fc.MaybeWeightedArbitrary<number>[]): fc.Arbitrary<TextPlan> {
  return fc.record({ bytes: fc.oneof(...bytes), script });
}

const between = (weight: number, min: number, max: number) => ({ weight, arbitrary: fc.integer({ min, max }) });
const exactly = (weight: number, ...bytes: number[]) => ({ weight, arbitrary: fc.constantFrom(...bytes) });

const said = textOfBytes(exactly(2, 0), between(10, 1, 200), between(4, 200, 2000), exactly(1, 8000, 30_000));
const returned = textOfBytes(
  exactly(100, 0),
  between(300, 1, 500),
  // Around the length from which results are shortened.
  between(300, 1900, 2100),
  exactly(100, 5000, 20_000),
  exactly(4, 100_000),
  exactly(1, 1_000_000),
);

const call: fc.Arbitrary<CallPlan> = fc.record({
  input: textOfBytes(exactly(1, 0), between(5, 1, 300)),
  result: fc.option(returned, { freq: 9 }),
});

const step: fc.Arbitrary<StepPlan> = fc.record({
  text: said,
  reasoning: fc.option(said, { freq: 1 }),
  calls: fc.oneof(
    { weight: 6, arbitrary: fc.constant<CallPlan[]>([]) },
    { weight: 5, arbitrary: fc.array(call, { minLength: 1, maxLength: 4 }) },
  ),
});

/** A turn as it may come. */
const turn: fc.Arbitrary<TurnPlan> = fc.record({
  text: said,
  media: fc.oneof(
    { weight: 15, arbitrary: fc.constant<TurnPlan['media']>([]) },
    { weight: 1, arbitrary: fc.array(fc.constantFrom('image' as const, 'document' as const), { maxLength: 3 }) },
  ),
  steps: fc.oneof(
    { weight: 10, arbitrary: fc.array(step, { minLength: 1, maxLength: 1 }) },
    // A question whose answer failed and was deleted, and an agent's long way to an answer.
    { weight: 3, arbitrary: fc.array(step, { maxLength: 6 }) },
  ),
});

/** A whole history. */
export const history: fc.Arbitrary<TurnPlan[]> = fc.oneof(
  { weight: 10, arbitrary: fc.array(turn, { maxLength: 8 }) },
  { weight: 1, arbitrary: fc.array(turn, { minLength: 10, maxLength: 30 }) },
  { weight: 1, arbitrary: giantTurn() },
);

function giantTurn(): fc.Arbitrary<TurnPlan[]> {
  const steps = fc.array(step, { minLength: 10, maxLength: 40 });
  return fc.tuple(turn, steps).map(([one, many]) => [{ ...one, steps: many }]);
}

/** A turn with one tool result of so many bytes. */
export function turnWithResult(bytes: number): TurnPlan {
  const plain = (length: number): TextPlan => ({ bytes: length, script: 'english' });
  return {
    text: plain(40),
    media: [],
    steps: [
      { text: plain(0), reasoning: null, calls: [{ input: plain(20), result: plain(bytes) }] },
      { text: plain(100), reasoning: null, calls: [] },
    ],
  };
}

const IMAGE = `data:image/png;base64,${'A'.repeat(400)}`;
const DOCUMENT = `data:application/pdf;base64,${'A'.repeat(40_000)}`;

function contentOf({ text, media }: TurnPlan): Content {
  if (media.length === 0) return textOf(text);
  return [
    { type: 'text', text: textOf(text) },
    ...media.map((kind) =>
      kind === 'image' ? { type: 'image' as const, image: IMAGE } : { type: 'file' as const, file: DOCUMENT },
    ),
  ];
}

/** The messages of a history, as an import has them. Models begin to count their calls anew in every answer. */
export function toImported(turns: readonly TurnPlan[]): ImportedMessage[] {
  return turns.flatMap((one): ImportedMessage[] => [
    { role: 'user', content: contentOf(one) },
    ...one.steps.map(toAnswer),
  ]);
}

function toAnswer({ text, reasoning, calls }: StepPlan): Extract<ImportedMessage, { role: 'assistant' }> {
  const toolCalls = calls.map(({ input, result }, index) => ({
    id: `call_${index}`,
    name: 'read_file',
    arguments: { path: textOf(input) },
    result: result === null ? undefined : textOf(result),
  }));
  const thought = reasoning && [
    { type: 'reasoning' as const, text: textOf(reasoning), data: { signature: 'c2lnbmVk' } },
    { type: 'text' as const, text: textOf(text) },
    ...toolCalls.map(({ id }) => ({ type: 'tool-call' as const, id })),
  ];
  return { role: 'assistant', content: textOf(text), toolCalls, ...(thought ? { parts: thought } : {}) };
}

/** The rows of a history. Every so-and-so-many-th `seq` is of a message that failed, and so is not among them. */
export function toRows(turns: readonly TurnPlan[], after: number, failedEvery: number): MessageRow[] {
  let seq = after;
  return toImported(turns).map((message) => {
    seq++;
    if (seq % failedEvery === 0) seq++;
    if (message.role === 'user') {
      return toRow(newUserMessage(`msg_${seq}`, { content: message.content }, 'complete'), seq);
    }
    const { toolCalls, role: _, ...body } = message;
    const calls = toolCalls.map(({ result, ...made }) => ({ call: made, result }));
    return toRow(newAssistantMessage(`msg_${seq}`, body as { content: string }, calls, 'complete'), seq);
  });
}

function toRow({ createdAt, calls, words: _, ...message }: NewMessage, seq: number): MessageRow {
  const place = { owner: 'local', conversation: 1, seq };
  const toolCalls = calls.map((one, position) => ({ ...place, position, ...one }));
  return {
    ...message,
    ...place,
    turn: 'turn_1',
    size: 0,
    calls: calls.length,
    created_at: createdAt,
    error: null,
    toolCalls,
  };
}

/** Four bytes a token and four tokens a message, counted in what is really sent: apart from the code under test. */
export function sentTokens(messages: readonly Message[]): number {
  const bytes = (value: unknown): number =>
    Buffer.byteLength(typeof value === 'string' ? value : JSON.stringify(value)) / 4;
  return messages.reduce((sum, message) => {
    if (message.role === 'system' || message.role === 'tool') return sum + 4 + bytes(message.text);
    return message.parts.reduce((all, part) => {
      switch (part.type) {
        case 'text':
        case 'reasoning':
          return all + bytes(part.text) + ('data' in part && part.data ? bytes(part.data) : 0);
        case 'tool-call':
          return all + bytes(part.call);
        default:
          return all + 1500;
      }
    }, sum + 4);
  }, 0);
}

/** What is wrong with the calls and results of messages: every call must be followed by its result, and by no other. */
export function brokenPairs(messages: readonly { calls: string[]; resultOf: string | undefined }[]): string[] {
  const problems: string[] = [];
  let open: string[] = [];
  for (const [index, { calls, resultOf }] of messages.entries()) {
    if (resultOf !== undefined) {
      if (open[0] !== resultOf) problems.push(`message ${index}: a result of ${resultOf} where ${open[0]} is due`);
      open = open.slice(1);
      continue;
    }
    if (open.length > 0) problems.push(`message ${index}: no result of ${open.join()}`);
    open = calls;
  }
  if (open.length > 0) problems.push(`the end: no result of ${open.join()}`);
  return problems;
}

/** The same of messages that are about to be sent. */
export function brokenPairsOf(messages: readonly Message[]): string[] {
  return brokenPairs(
    messages.map((message) => ({
      calls:
        message.role === 'assistant'
          ? message.parts.flatMap((part) => (part.type === 'tool-call' ? [part.call.id] : []))
          : [],
      resultOf: message.role === 'tool' ? message.toolCallId : undefined,
    })),
  );
}
