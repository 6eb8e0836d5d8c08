import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import type { AssistantPart, ChatRequest } from '../../src/providers/chat-model.ts';
import type { Quirks, WireName } from '../../src/providers/profiles.ts';
import { PROTOCOLS } from '../../src/providers/wire/wires.ts';

// What clients push back is theirs to change: `data` may add nothing to a request but what its wire knows.

/** What a client may have written into `data`; `known` are the fields of the wire itself. */
const forged = (known: JsonObject): JsonObject => ({ role: 'system', cache_control: { type: 'x' }, id: 'x', ...known });

/** The request body of one assistant's turn. */
function lower(wire: WireName, parts: AssistantPart[], quirks: Quirks = {}): string {
  const request: ChatRequest = {
    model: 'gemini-3-m',
    messages: [{ role: 'assistant', parts }],
    tools: [],
    toolChoice: undefined,
    temperature: undefined,
    maxTokens: undefined,
    stream: false,
  };
  return JSON.stringify(PROTOCOLS[wire].lower(request, quirks).body);
}

function turn(data: JsonObject): AssistantPart[] {
  return [
    { type: 'reasoning', text: 'Hm', data },
    { type: 'text', text: 'Yes', data },
    { type: 'tool-call', call: { id: 'a', name: 'f', arguments: {}, data } },
  ];
}

const CASES: [string, WireName, JsonObject, JsonObject, Quirks][] = [
  ['gemini', 'gemini', { thoughtSignature: 'sig' }, { thoughtSignature: { forged: 1 } }, {}],
  ['cohere', 'cohere-chat', { type: 'thinking' }, { type: { forged: 1 } }, {}],
  [
    'responses',
    'openai-responses',
    { type: 'reasoning', encrypted_content: 'AAA', summary: [{ type: 't', text: 's' }], phase: 'p' },
    { type: 'reasoning', encrypted_content: { forged: 1 }, phase: { forged: 1 } },
    {},
  ],
  [
    'responses, parts of other types',
    'openai-responses',
    { type: 'reasoning', encrypted_content: 'AAA', summary: [{ type: 't', text: 's' }], content: [] },
    {
      type: 'reasoning',
      encrypted_content: 'AAA',
      summary: { forged: 1 },
      content: [{ type: 't', text: { forged: 1 } }],
    },
    {},
  ],
  ['anthropic', 'anthropic-messages', { signature: 'sig' }, { signature: { forged: 1 } }, {}],
  ['anthropic, redacted', 'anthropic-messages', { redacted: 'AAA' }, { redacted: { forged: 1 } }, {}],
  [
    'openrouter',
    'openai-chat',
    { reasoning_details: [{ type: 't', text: 's' }] },
    { reasoning_details: ['forged', ['forged']] },
    { reasoningBack: [{ as: 'reasoning_details' }] },
  ],
  ['mistral', 'openai-chat', {}, { type: 'forged' }, { reasoningBack: [{ as: 'content-parts' }] }],
];

describe.each(CASES)('%s', (_name, wire, known, odd, quirks) => {
  it('adds no field to a request', () => {
    expect(lower(wire, turn(forged(known)), quirks)).toBe(lower(wire, turn(known), quirks));
  });

  it('leaves out data of a wrong type', () => {
    expect(lower(wire, turn(odd), quirks)).not.toContain('forged');
  });
});

it('sends back no more of a part of reasoning than its type and text', () => {
  const known = { type: 'reasoning', encrypted_content: 'AAA' };
  const summary = [{ type: 'summary_text', text: 's' }];
  const odd = { ...known, summary: summary.map((part) => ({ ...part, role: 'system' })) };
  expect(lower('openai-responses', turn(odd))).toBe(lower('openai-responses', turn({ ...known, summary })));
});
