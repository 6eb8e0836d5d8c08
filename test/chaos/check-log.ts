import { answersOf, type LogEvent, type RunCase } from './run-case.ts';

const LAST = ['complete', 'error'];

/** What is wrong with the order of a run's events. */
export function* logFaults(given: RunCase): Generator<string> {
  const { run, events } = given;
  for (const [index, { seq }] of events.entries()) {
    if (seq !== index + 1) {
      yield `event ${index + 1} has the number ${seq}`;
      break;
    }
  }
  if (run.last_seq !== events.length) yield `there are ${events.length} events, and the last is ${run.last_seq}`;
  const begin = events.slice(0, 2).map(({ type }) => type);
  if (begin.join() !== 'user_message,session:start') yield `it begins with ${begin.join()}`;
  yield* endFaults(given);
  yield* stepFaults(given);
}

function* endFaults({ run, events, ...rest }: RunCase): Generator<string> {
  const ends = events.filter(({ type }) => LAST.includes(type));
  if (ends.length !== 1) yield `it has ${ends.length} ends`;
  const last = events.at(-1);
  if (!last || !LAST.includes(last.type)) {
    yield `its last event is ${last?.type}, and it is ${run.status}`;
    return;
  }
  const status = last.type === 'complete' ? 'completed' : last.data.code === 'CANCELLED' ? 'cancelled' : 'failed';
  if (run.status !== status) yield `it is ${run.status}, and its last event says that it is ${status}`;
  if (last.type === 'error') {
    const { code, message } = JSON.parse(run.error ?? '{}');
    const isMeant = code === 'TOOL_ERROR' ? rest.track?.plan.onCrash === 'fail' : /^(?:provider_|CANCELLED)/.test(code);
    if (!isMeant) yield `it has failed for another reason than it should: ${run.error}`;
    if (code !== last.data.code || message !== last.data.message)
      yield `its error is another one than its last event's`;
    return;
  }
  const tail = events.slice(-3).map(({ type }) => type);
  if (tail.join() !== 'summary,message_saved,complete') yield `it ends with ${tail.join()}`;
  const { totalTokens, totalSteps, toolCalls } = last.data;
  if (totalTokens !== run.total_tokens) yield `${run.total_tokens} tokens, and its end says ${totalTokens}`;
  if (totalSteps !== run.steps) yield `${run.steps} steps, and its end says ${totalSteps}`;
  if (toolCalls.length !== rest.calls.length) yield `${rest.calls.length} calls, its end says ${toolCalls.length}`;
  const saved = events.at(-2)?.data.id;
  if (saved !== run.message) yield `it ended with the message ${run.message}, and said ${saved}`;
}

/** Steps follow each other, and what is of a step comes while it goes on. */
function* stepFaults(given: RunCase): Generator<string> {
  const { run, events } = given;
  const answers = answersOf(given);
  let current = 0;
  let isOpen = false;
  for (const { seq, type, data } of events) {
    if (type === 'step:start') {
      if (data.step !== current + 1) yield `event ${seq} begins step ${data.step} after step ${current}`;
      if (isOpen) yield `event ${seq} begins step ${data.step} while ${current} goes on`;
      current = data.step;
      isOpen = true;
    } else if (data.step !== undefined && (data.step !== current || !isOpen)) {
      yield `event ${seq} (${type}) is of step ${data.step}, while ${isOpen ? current : 'none'} goes on`;
    }
    if (type === 'step:complete') {
      isOpen = false;
      const answer = answers[data.step - 1];
      if (data.messageId !== answer?.id) yield `step ${data.step} has the message ${answer?.id}, not ${data.messageId}`;
      if (data.toolCallsInStep !== answer?.calls) yield `step ${data.step} has ${answer?.calls} calls`;
    }
  }
  if (run.status === 'completed' && isOpen) yield `step ${current} is not complete`;
  if (run.steps !== current) yield `${current} steps have begun, noted as ${run.steps}`;
}

/** The texts of each step, since its last try began. */
export function textsOf(events: readonly LogEvent[]): Map<number, { text: string; thoughts: string }> {
  const texts = new Map<number, { text: string; thoughts: string }>();
  for (const { type, data } of events) {
    const said = texts.get(data.step) ?? { text: '', thoughts: '' };
    if (type === 'content') texts.set(data.step, { ...said, text: said.text + data.text });
    else if (type === 'thinking:update') texts.set(data.step, { ...said, thoughts: said.thoughts + data.text });
    else if (type === 'attempt:reset' || type === 'step:start') texts.set(data.step, { text: '', thoughts: '' });
  }
  return texts;
}
