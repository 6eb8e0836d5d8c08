import type { Json } from '../server.ts';
import { textsOf } from './check-log.ts';
import { stepOf, wordOf } from './plan.ts';
import { answersOf, type RunCase } from './run-case.ts';

/** Errors after which what was said so far is kept. */
const KEEPING = ['CANCELLED', 'TIMEOUT', 'TOOL_ERROR'];

/** What is wrong with what a run says: in its events, in its messages, and in the model's own words. */
export function* textFaults(given: RunCase): Generator<string> {
  const { run, events } = given;
  const answers = answersOf(given);
  const texts = textsOf(events);
  for (const [step, { text, thoughts }] of texts) {
    const answer = answers[step - 1];
    if (!answer) {
      const { code } = JSON.parse(run.error ?? '{}');
      if (text !== '' && (run.status === 'completed' || KEEPING.includes(code))) yield `step ${step} has no message`;
      continue;
    }
    if (answer.body.content !== text)
      yield `the message of step ${step} is not what its events say: ${shown(answer.body.content)}, ${shown(text)}`;
    if ((answer.body.reasoning ?? '') !== thoughts) yield `the thoughts of step ${step} are not what its events say`;
  }
  for (const [index, { body }] of answers.entries()) {
    const step = index + 1;
    if (step <= run.steps) yield* wordFaults(given, step, body);
    else if (!isClosing(given, index)) yield `message ${step} is of no step`;
  }
}

/** A run that ends with calls and no words has one more message, of its summary. */
function isClosing(given: RunCase, index: number): boolean {
  const answers = answersOf(given);
  const before = answers[index - 1];
  const summary = given.events.find(({ type }) => type === 'summary')?.data.summary;
  const isLast = index === answers.length - 1 && index === given.run.steps;
  return isLast && before?.body.content === '' && before.calls > 0 && answers[index]?.body.content === summary;
}

/** The words of a message are those of one try of its step, all of them and in their order. */
function* wordFaults({ track }: RunCase, step: number, { content, finishReason }: Json): Generator<string> {
  if (!track) return;
  const { plan } = track;
  const words = String(content)
    .split(' ')
    .slice(0, -1)
    .map((word) => `${word} `);
  const attempt = Number(/a(\d+)w/.exec(words[0] ?? '')?.[1] ?? 0);
  const expected = words.map((_, index) => wordOf(plan.run, step, attempt, index));
  if (words.join('') !== content || words.join('') !== expected.join(''))
    yield `the message of step ${step} has words of another step or try: ${shown(content)}`;
  const planned = stepOf(plan, step).words;
  const isWhole = words.length === planned || words.length === Math.max(planned, 4);
  if (finishReason !== 'cancelled' && !isWhole)
    yield `the message of step ${step} has ${words.length} words of ${planned}`;
}

function shown(text: string): string {
  return text.length > 300 ? `${text.slice(0, 150)} … ${text.slice(-150)}` : text;
}
