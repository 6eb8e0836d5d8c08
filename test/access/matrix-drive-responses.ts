import type { Json } from '../server.ts';
import type { Credential } from './matrix-server.ts';
import { type Place, Things } from './matrix-things.ts';

const TOOLS = [{ type: 'function', name: 'look', parameters: { type: 'object', properties: {} } }];

/** Has responses that are kept with all that can become of them: they go on, in places of all kinds, are read, and end. */
export async function driveResponses({ server }: { server: Place }, credential: Credential): Promise<void> {
  const things = new Things(server, credential, 'Driven response');
  const send = async (method: string, path: string, body?: object): Promise<Json> => {
    const answer = await server.ask(method, `/v1/responses${path}`, credential, body);
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    return answer.body;
  };
  const respond = (fields: object): Promise<Json> => send('POST', '', { model: 'demo', tools: TOOLS, ...fields });
  const asked = { role: 'user', content: '/say So\n/tool look {}' };
  const first = await respond({ input: [asked] });
  const [said, call] = first.output;
  const output = { type: 'function_call_output', call_id: call.call_id, output: 'seen' };
  await respond({ input: [output], previous_response_id: first.id });
  await respond({ input: [output], previous_response_id: first.id });
  await respond({ input: [output], previous_response_id: first.id, store: false });
  const reference = { type: 'item_reference', id: said.id };
  const { id: _, ...sent } = call;
  const second = await respond({ input: [asked, reference, sent, output] });
  const { id: conversation } = await things.conversation();
  await respond({ input: 'Hello', conversation });
  const { id } = await things.make('/v1/responses/{id}');
  await respond({ input: 'Hello', previous_response_id: id });
  for (const { id: of } of [first, second, { id }]) await send('GET', `/${of}`);
  for (const order of ['asc', 'desc']) {
    const { last_id: after } = await send('GET', `/${second.id}/input_items?limit=1&order=${order}`);
    await send('GET', `/${second.id}/input_items?limit=1&order=${order}&after=${after}`);
  }
  for (const { id: of } of [second, first]) await send('DELETE', `/${of}`);
}
