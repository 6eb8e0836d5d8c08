import { createAnthropic } from '@ai-sdk/anthropic';
import { generateText, jsonSchema, stepCountIs, streamText, tool } from 'ai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { anthropicFake } from '../matrix/anthropic.ts';
import { type Fakes, keyOf, startFakes, type Vendor } from '../matrix/fake.ts';
import { geminiFake } from '../matrix/gemini.ts';
import { startTestServer, type TestServer } from '../server.ts';

// The AI SDK with its Anthropic provider, unmodified, against a real server.

const CLAUDE: Vendor = { name: 'anthropic', type: 'anthropic', fake: anthropicFake('claude-opus-4-6') };
const GEMINI: Vendor = { name: 'google', type: 'google', fake: geminiFake('gemini-3-pro') };
const NONE = { inOrder: [], anywhere: [], calls: [] };

let fakes: Fakes;
let server: TestServer;
let anthropic: ReturnType<typeof createAnthropic>;

beforeAll(async () => {
  // It does not know the models by name.
  Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });
  fakes = await startFakes([CLAUDE, GEMINI]);
  server = await startTestServer({
    ANTHROPIC_BASE_URL: `${fakes.url}/anthropic`,
    ANTHROPIC_API_KEY: keyOf('anthropic'),
    GOOGLE_BASE_URL: `${fakes.url}/google`,
    GEMINI_API_KEY: keyOf('google'),
  });
  const { body } = await server.call('/api/keys', { name: 'K', scopes: ['chat'] });
  anthropic = createAnthropic({ baseURL: `${server.url}/v1`, apiKey: body.secret });
});

afterAll(async () => {
  await server.stop();
  await fakes.stop();
});

it('generateText has text, reasoning, usage and the end', async () => {
  const answer = await generateText({ model: anthropic('demo'), prompt: '/reason Hm\n/say Well now' });
  expect(answer).toMatchObject({ text: 'Well now', reasoningText: 'Hm', finishReason: 'stop' });
  expect(answer.usage.outputTokens).toBeGreaterThan(0);
  expect(answer.usage.inputTokens).toBeGreaterThan(0);
});

for (const { name, type, fake } of [CLAUDE, GEMINI]) {
  for (const stream of [false, true]) {
    it(`${stream ? 'streamText' : 'generateText'} calls a tool of ${name} and goes on with its reasoning`, async () => {
      const place = `P-${name}-${stream}`;
      const reasoning = `thought-${name}-${stream ? 1 : 2}`;
      fakes.expect({ reasoning, text: 'Let me see.', calls: [{ name: 'harbor_label', args: { place } }] }, NONE);
      const options = {
        model: anthropic(`${type}/${fake.model}`),
        prompt: 'Where?',
        stopWhen: stepCountIs(3),
        tools: {
          harbor_label: tool({
            description: 'Gives the label of the harbor.',
            inputSchema: jsonSchema<{ place: string }>({ type: 'object', properties: { place: { type: 'string' } } }),
            // The next request is refused by the fake unless all that it gave comes back.
            execute: (input) => {
              fakes.expect(
                { reasoning: '', text: 'There.', calls: [] },
                { ...NONE, inOrder: [`Label of ${input.place}`] },
              );
              return `Label of ${input.place}`;
            },
          }),
        },
      };
      const answer = stream ? streamText(options) : await generateText(options);
      const steps = await answer.steps;
      expect(steps.map(({ text, finishReason }) => [text, finishReason])).toEqual([
        ['Let me see.', 'tool-calls'],
        ['There.', 'stop'],
      ]);
      expect(steps[0]?.reasoningText).toContain(reasoning);
    });
  }
}
