import { openAiStream, startUpstream, type Upstream } from '../../contract/upstream.ts';
import { type Json, startTestServer, type TestServer } from '../../server.ts';

const TYPES = [
  'openai',
  'azure',
  'openrouter',
  'groq',
  'xai',
  'mistral',
  'perplexity',
  'deepseek',
  'together',
  'cerebras',
  'fireworks',
];

/** One answer through our endpoint, and the body that was sent to the vendor for it. */
interface Asked {
  status: number;
  headers: Headers;
  /** The whole answer, or the last event of a stream. */
  body: Json;
  events: Json[];
  /** To be pushed into the next request's messages. */
  message: Json;
  sent: Json;
}

/** Our server with a scripted upstream in the place of every OpenAI-like vendor. */
export interface Rig {
  server: TestServer;
  upstream: Upstream;
  /** Asks for a whole answer; `reply` is the vendor's body. */
  whole(model: string, reply: object, body?: object): Promise<Asked>;
  /** Asks for a stream; `pieces` are what the vendor writes, deltas become a plain stream of them. */
  stream(model: string, reply: { deltas: object[] } | { pieces: string[] }, body?: object): Promise<Asked>;
  stop(): Promise<void>;
}

/** Starts both on free ports. */
export async function startRig(environment: Record<string, string> = {}): Promise<Rig> {
  const upstream = await startUpstream();
  const server = await startTestServer({ ...upstream.environment(...TYPES), ...environment });
  const says = { messages: [{ role: 'user', content: 'Hi' }] };

  async function whole(model: string, reply: object, body: object = {}): Promise<Asked> {
    upstream.reset();
    upstream.replies.push({ json: reply });
    const answer = await server.call('/api/chat/completions', { ...says, model, ...body });
    const { message } = answer.body;
    return { ...answer, events: [], message, sent: upstream.sent.at(-1)?.body };
  }

  async function stream(
    model: string,
    reply: { deltas: object[] } | { pieces: string[] },
    body: object = {},
  ): Promise<Asked> {
    upstream.reset();
    upstream.replies.push({ pieces: 'deltas' in reply ? openAiStream(reply.deltas) : reply.pieces });
    const { status, events } = await server.stream('/api/chat/completions', { ...says, model, stream: true, ...body });
    const last = events.at(-1);
    return {
      status,
      headers: new Headers(),
      body: last,
      events,
      message: messageOf(events),
      sent: upstream.sent.at(-1)?.body,
    };
  }

  return {
    server,
    upstream,
    whole,
    stream,
    stop: async () => {
      await server.stop();
      await upstream.stop();
    },
  };
}

/** The message that a stream's events make, as a client puts it together. */
function messageOf(events: Json[]): Json {
  const content = events.map((event) => event.content ?? '').join('');
  const toolCalls = events.flatMap((event) => (event.toolCall ? [event.toolCall] : []));
  const { parts } = events.at(-1);
  return {
    role: 'assistant',
    content,
    ...(toolCalls.length > 0 ? { toolCalls } : {}),
    ...(parts ? { parts } : {}),
  };
}

/** A delta's tool call, or a message's. */
export function call(id: string | undefined, name: string | undefined, args: unknown, index?: number): object {
  return {
    ...(id === undefined ? {} : { id }),
    ...(index === undefined ? {} : { index }),
    type: 'function',
    function: { ...(name === undefined ? {} : { name }), ...(args === undefined ? {} : { arguments: args }) },
  };
}

/** A tool with no parameters of note. */
export const WEATHER = { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } };
