import { randomBytes } from 'node:crypto';

/** What a model says, piece by piece; `call` begins a tool call, `arguments` goes on with one that has begun. */
export type Piece =
  | Said
  | { kind: 'call'; call: number; name: string }
  | { kind: 'arguments'; call: number; text: string };

interface Said {
  kind: 'text' | 'reasoning';
  text: string;
}

/** How the provider says that it ends. */
export type Ending = 'stop' | 'length' | 'tool-calls' | 'content-filter';

/** Writes a streamed answer in a wire's form: one text a write. */
export type Encoder = (pieces: readonly Piece[], ending: Ending) => string[];

const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const event = (type: string, rest: object = {}): string => `event: ${type}\n${data({ type, ...rest })}`;
const id = (call: number): string => `call_${call}`;

const openaiChat: Encoder = (pieces, ending) => {
  const chunk = (delta: object, finish_reason: string | null = null): string =>
    data({ id: 'x', object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason }] });
  const call = (index: number, rest: object): string => chunk({ tool_calls: [{ index, ...rest }] });
  return [
    chunk({ role: 'assistant', content: '' }),
    ...pieces.map((piece) => {
      if (piece.kind === 'call') {
        return call(piece.call, {
          id: id(piece.call),
          type: 'function',
          function: { name: piece.name, arguments: '' },
        });
      }
      if (piece.kind === 'arguments') return call(piece.call, { function: { arguments: piece.text } });
      return chunk(piece.kind === 'text' ? { content: piece.text } : { reasoning_content: piece.text });
    }),
    chunk({}, ending.replace('-', '_')),
    data({ id: 'x', choices: [], usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 } }),
    'data: [DONE]\n\n',
  ];
};

/** The wires that put everything into numbered blocks; `open` is told when a block must begin, and `close` when one ends. */
function blocks(
  pieces: readonly Piece[],
  write: {
    open: (index: number, piece: Piece) => string[];
    delta: (index: number, piece: Piece) => string[];
    close: (index: number, pieces: Piece[]) => string[];
  },
): string[] {
  const out: string[] = [];
  const open = new Map<string, { index: number; pieces: Piece[] }>();
  let next = 0;
  const keyOf = (piece: Piece): string => ('call' in piece ? `call ${piece.call}` : piece.kind);
  const close = (key: string): void => {
    const block = open.get(key);
    if (block) out.push(...write.close(block.index, block.pieces));
    open.delete(key);
  };
  for (const piece of pieces) {
    const key = keyOf(piece);
    if (!open.has(key)) {
      // Text and reasoning take turns, calls may run side by side.
      if (!('call' in piece)) for (const other of ['text', 'reasoning']) close(other);
      open.set(key, { index: next, pieces: [] });
      out.push(...write.open(next++, piece));
    }
    const block = open.get(key);
    block?.pieces.push(piece);
    if (block && piece.kind !== 'call') out.push(...write.delta(block.index, piece));
  }
  for (const key of [...open.keys()]) close(key);
  return out;
}

const anthropicMessages: Encoder = (pieces, ending) => [
  event('message_start', { message: { role: 'assistant', content: [], usage: { input_tokens: 3, output_tokens: 1 } } }),
  ...blocks(pieces, {
    open: (index, piece) => {
      const block = {
        text: { type: 'text', text: '' },
        reasoning: { type: 'thinking', thinking: '' },
        call: {
          type: 'tool_use',
          id: 'call' in piece ? id(piece.call) : '',
          name: 'name' in piece && piece.name,
          input: {},
        },
        arguments: undefined,
      }[piece.kind];
      return [event('content_block_start', { index, content_block: block })];
    },
    delta: (index, piece) => {
      const text = 'text' in piece ? piece.text : '';
      const delta = {
        text: { type: 'text_delta', text },
        reasoning: { type: 'thinking_delta', thinking: text },
        arguments: { type: 'input_json_delta', partial_json: text },
        call: undefined,
      }[piece.kind];
      return [event('content_block_delta', { index, delta })];
    },
    close: (index, [first]) => [
      ...(first?.kind === 'reasoning'
        ? [
            event('content_block_delta', {
              index,
              delta: { type: 'signature_delta', signature: randomBytes(9).toString('hex') },
            }),
          ]
        : []),
      event('content_block_stop', { index }),
    ],
  }),
  event('message_delta', {
    delta: {
      stop_reason: { stop: 'end_turn', length: 'max_tokens', 'tool-calls': 'tool_use', 'content-filter': 'refusal' }[
        ending
      ],
    },
    usage: { output_tokens: 4 },
  }),
  event('message_stop'),
];

const openaiResponses: Encoder = (pieces, ending) => {
  const items: object[] = [];
  const joined = (all: Piece[]): string => all.map((piece) => ('text' in piece ? piece.text : '')).join('');
  const itemOf = (index: number, [first, ...rest]: Piece[], status: string): object => {
    const all = first ? [first, ...rest] : [];
    if (first?.kind === 'text') {
      const content = status === 'completed' ? [{ type: 'output_text', text: joined(all), annotations: [] }] : [];
      return { id: `msg_${index}`, type: 'message', role: 'assistant', status, content };
    }
    if (first?.kind === 'reasoning') {
      const summary = status === 'completed' ? [{ type: 'summary_text', text: joined(all) }] : [];
      return { id: `rs_${index}`, type: 'reasoning', summary, encrypted_content: `enc_${index}` };
    }
    const call = first && 'call' in first ? first.call : 0;
    const name = first && 'name' in first ? first.name : '';
    const args = status === 'completed' ? joined(rest) : '';
    return { id: `fc_${index}`, type: 'function_call', call_id: id(call), name, arguments: args, status };
  };
  const usage = { input_tokens: 3, output_tokens: 4, total_tokens: 7 };
  const cut = ending === 'length' || ending === 'content-filter';
  const reason = ending === 'length' ? 'max_output_tokens' : 'content_filter';
  const written = blocks(pieces, {
    open: (index, piece) => [
      event('response.output_item.added', { output_index: index, item: itemOf(index, [piece], 'in_progress') }),
    ],
    delta: (index, piece) => {
      const delta = 'text' in piece ? piece.text : '';
      const type = {
        text: 'response.output_text.delta',
        reasoning: 'response.reasoning_summary_text.delta',
        arguments: 'response.function_call_arguments.delta',
        call: '',
      }[piece.kind];
      const at = piece.kind === 'reasoning' ? { summary_index: 0 } : { content_index: 0 };
      return [event(type, { item_id: `x_${index}`, output_index: index, ...at, delta })];
    },
    close: (index, all) => {
      const item = itemOf(index, all, 'completed');
      items.push(item);
      return [event('response.output_item.done', { output_index: index, item })];
    },
  });
  const status = cut ? 'incomplete' : 'completed';
  return [
    event('response.created', { response: { id: 'resp_1', object: 'response', status: 'in_progress', output: [] } }),
    ...written,
    event(`response.${status}`, {
      response: {
        id: 'resp_1',
        object: 'response',
        status,
        output: items,
        usage,
        incomplete_details: cut ? { reason } : null,
      },
    }),
  ];
};

/** For wires that give a call in one piece: what was said of it, put where it began. */
function wholeCalls(pieces: readonly Piece[]): (Said | WholeCall)[] {
  return pieces.flatMap((piece): (Said | WholeCall)[] => {
    if (piece.kind === 'arguments') return [];
    if (piece.kind !== 'call') return [piece];
    const said = pieces.flatMap((other) =>
      other.kind === 'arguments' && other.call === piece.call ? [other.text] : [],
    );
    return [{ kind: 'whole', call: piece.call, name: piece.name, arguments: said.join('') }];
  });
}

interface WholeCall {
  kind: 'whole';
  call: number;
  name: string;
  arguments: string;
}

const gemini: Encoder = (pieces, ending) => {
  const chunk = (parts: object[], more: object = {}): string =>
    data({ candidates: [{ content: { role: 'model', parts }, index: 0, ...more }] });
  return [
    ...wholeCalls(pieces).map((piece) => {
      if (piece.kind === 'whole') {
        const args = JSON.parse(piece.arguments || '{}');
        return chunk([{ functionCall: { id: id(piece.call), name: piece.name, args } }]);
      }
      return chunk([
        { text: 'text' in piece ? piece.text : '', ...(piece.kind === 'reasoning' ? { thought: true } : {}) },
      ]);
    }),
    data({
      candidates: [
        {
          content: { role: 'model', parts: [] },
          finishReason: { stop: 'STOP', 'tool-calls': 'STOP', length: 'MAX_TOKENS', 'content-filter': 'SAFETY' }[
            ending
          ],
        },
      ],
      usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 4, totalTokenCount: 7 },
    }),
  ];
};

const ollamaChat: Encoder = (pieces, ending) => {
  const line = (message: object, more: object = { done: false }): string =>
    `${JSON.stringify({ model: 'm', message: { role: 'assistant', content: '', ...message }, ...more })}\n`;
  return [
    ...wholeCalls(pieces).map((piece) => {
      if (piece.kind === 'whole') {
        const args = JSON.parse(piece.arguments || '{}');
        return line({
          tool_calls: [{ id: id(piece.call), function: { index: 0, name: piece.name, arguments: args } }],
        });
      }
      return line(
        piece.kind === 'reasoning' ? { thinking: piece.text } : { content: 'text' in piece ? piece.text : '' },
      );
    }),
    line({}, { done: true, done_reason: ending === 'length' ? 'length' : 'stop', prompt_eval_count: 3, eval_count: 4 }),
  ];
};

const cohereChat: Encoder = (pieces, ending) => {
  const message = (type: string, index: number, value: object): string =>
    event(type, { index, delta: { message: value } });
  return [
    event('message-start', { id: '1', delta: { message: { role: 'assistant' } } }),
    ...pieces.map((piece) => {
      if (piece.kind === 'call') {
        const call = { id: id(piece.call), type: 'function', function: { name: piece.name, arguments: '' } };
        return message('tool-call-start', piece.call, { tool_calls: call });
      }
      if (piece.kind === 'arguments') {
        return message('tool-call-delta', piece.call, { tool_calls: { function: { arguments: piece.text } } });
      }
      const content = piece.kind === 'text' ? { text: piece.text } : { thinking: piece.text };
      return message('content-delta', 0, { content });
    }),
    event('message-end', {
      delta: {
        finish_reason: {
          stop: 'COMPLETE',
          length: 'MAX_TOKENS',
          'tool-calls': 'TOOL_CALL',
          'content-filter': 'ERROR_TOXIC',
        }[ending],
        usage: { tokens: { input_tokens: 3, output_tokens: 4 } },
      },
    }),
  ];
};

/** One for each wire. Ollama has no word for a content filter. */
export const ENCODERS = { openaiChat, openaiResponses, anthropicMessages, gemini, ollamaChat, cohereChat } as const;
