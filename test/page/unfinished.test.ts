import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/client/run-events.ts';
import { NO_EVENTS, type RunState, withEvents } from '../../src/client/run-state.ts';
import type { Message } from '../../src/client/types.ts';
import { type ConversationParts, entriesOf, toldOf } from '../../web/src/conversation/entries.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { answers, say } from './chat.ts';
import { BROWSER, type Rig, startRig } from './rig.ts';

const message = (seq: number, about: Partial<Message>): Message => ({
  ...{ id: `msg_${seq}`, conversationId: 'conv_1', seq, role: 'assistant', content: '', reasoning: null },
  ...{ model: 'demo', provider: 'demo', tokenUsage: null, cost: null, toolCalls: [], finishReason: 'stop' },
  ...{ duration: 5, status: 'complete', error: null, createdAt: new Date(seq * 1000).toISOString(), ...about },
});
const ERROR = { code: 'provider_unavailable', message: 'Boom' };
const begins = { type: 'user_message', data: { id: 'msg_1', content: 'Go' } };
const step = (number: number) => ({ type: 'step:start', data: { step: number, usedBudget: 0 } });
const says = (number: number, text: string) => ({ type: 'content', data: { step: number, text } });
const ends = { type: 'step:complete', data: { step: 1, messageId: 'msg_2', duration: 5, usedBudget: 0 } };
const fails = { type: 'error', data: ERROR };

function told(...events: { type: string; data: object }[]): RunState {
  const numbered = events.map((event, index) => ({ ...event, id: index + 1, timestamp: 0 })) as RunEvent[];
  return withEvents(NO_EVENTS, numbered);
}

const parts = (about: Partial<ConversationParts>): ConversationParts => ({
  ...{ messages: [], live: undefined, told: new Map(), lastRun: undefined },
  ...about,
});

/** What is read, top to bottom. */
const read = (given: ConversationParts): string[] =>
  entriesOf(given).map((entry) => {
    if (entry.type === 'user') return `> ${entry.content}`;
    if (entry.type === 'end') return `! ${entry.code}`;
    return entry.step.items.map((item) => ('text' in item ? item.text : item.type)).join('|');
  });

describe('an answer that broke off', () => {
  const failed = (state: RunState, messages: Message[]) => {
    const live = { id: 'run_1', state };
    return new Map(toldOf(parts({ messages, live })));
  };
  const asked = message(1, { role: 'user', content: 'Go', status: 'failed', error: ERROR });

  it('stays above the failure of its message, until that is tried again', () => {
    const kept = failed(told(begins, step(1), says(1, 'Half'), fails), [asked]);
    expect(read(parts({ messages: [asked], told: kept }))).toEqual(['> Go', 'Half', '! provider_unavailable']);
    const again = { ...asked, status: 'running' as const, error: null };
    const live = { id: 'run_2', state: told(begins, step(1), says(1, 'New')) };
    expect(read(parts({ messages: [again], told: kept, live }))).toEqual(['> Go', 'New']);
    const done = [{ ...asked, status: 'complete' as const, error: null }, message(2, { content: 'New' })];
    expect(read(parts({ messages: done, told: kept }))).toEqual(['> Go', 'New']);
  });

  it('stays below the steps that are stored, which keep their footer', () => {
    const messages = [message(1, { role: 'user', content: 'Go' }), message(2, { content: 'One.' })];
    const kept = failed(told(begins, step(1), says(1, 'One.'), ends, step(2), says(2, 'Tw'), fails), messages);
    const entries = entriesOf(parts({ messages, told: kept }));
    expect(read(parts({ messages, told: kept }))).toEqual(['> Go', 'One.', 'Tw']);
    expect(entries.map((entry) => entry.type === 'step' && entry.answer?.text)).toEqual([false, 'One.', undefined]);
    const later = [...messages, message(3, { content: 'Two.' })];
    expect(read(parts({ messages: later, told: kept }))).toEqual(['> Go', 'One.', 'Two.']);
  });
});

it('what somebody says in the middle of an answer does not cut it', () => {
  const said = { type: 'user_message', data: { id: 'msg_3', content: 'Hurry', steering: true } };
  const state = told(begins, step(1), says(1, 'Over **the '), said, says(1, 'bear**'));
  expect(read(parts({ live: { id: 'run_1', state } }))).toEqual(['> Go', 'Over **the bear**', '> Hurry']);
});

describe.skipIf(!BROWSER)('in the page', () => {
  let rig: Rig;
  let server: TestServer;
  beforeAll(async () => {
    [rig, server] = await Promise.all([startRig(), startTestServer()]);
  });
  afterAll(async () => {
    await rig?.stop();
    await server?.stop();
  });

  it('an answer that broke off is read above what went wrong', async () => {
    const { page, expectClean } = await rig.open(server.url);
    const readAgain = page.waitForResponse(async (response) => {
      if (!/conversations\/conv_\w+\?/.test(response.url()) || response.request().method() !== 'GET') return false;
      const { messages } = (await response.json()) as { messages: Message[] };
      return messages.some(({ status }) => status === 'failed');
    });
    await say(page, '/say Some text first\n/cut 500 Boom in the middle');
    await page.getByText('Attempt 2 of 3: Demo: Boom in the middle').waitFor();
    await page.getByRole('button', { name: 'Retry' }).waitFor();
    await page.getByText('The provider is not available.').waitFor();
    // It is read again from what is stored, where the text is not.
    await readAgain;
    await page.evaluate('new Promise((shown) => setTimeout(() => requestAnimationFrame(shown), 300))');
    await answers(page).getByText('Some text first').waitFor();
    expect(await answers(page).getByText('Some text first').count()).toBe(1);
    expectClean();
  });

  it('the sources of an answer say where they lead', async () => {
    const { page, expectClean } = await rig.open(server.url);
    await say(page, '/say Something');
    await page.getByRole('button', { name: 'Answer again' }).waitFor();
    await page.route('**/api/chat/conversations/conv_*', async (route) => {
      const response = await route.fetch();
      const body = await response.json();
      for (const one of body.messages ?? [])
        if (one.role === 'assistant') one.sources = [{ url: 'https://evil.example/', title: 'good.example' }];
      await route.fulfill({ response, json: body });
    });
    await page.reload();
    await page.getByText('1 source').click();
    await page.getByRole('link', { name: 'good.example (evil.example)' }).waitFor();
    expectClean();
  });
});
