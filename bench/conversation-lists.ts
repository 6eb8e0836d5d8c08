import { ConversationClient } from './conversation-client.ts';
import type { Running } from './processes.ts';
import { type Subject, type Timing, takeTurns } from './turn-taking.ts';

/** How many conversations the two servers have. */
export const FEW = 100;
export const MANY = 100_000;

const ROUNDS = 120;
const WARM_UP = 30;
const SEARCH_ROUNDS = 7;

/** The lists that are asked for; the last two have no target. */
export const LISTS = ['first page', 'after a cursor', 'of a task', 'rare word', 'frequent word'] as const;

/** A list of the server with few conversations and of the one with many. */
export interface ListTiming {
  few: Timing;
  many: Timing;
}

/** A server, the id of its task, and how far into its list the cursor is. */
export interface ListServer {
  server: Running;
  taskId: string;
  cursorAt: number;
}

/** Asks both servers for every list in turn. */
export async function timeLists(
  few: ListServer,
  many: ListServer,
): Promise<Record<(typeof LISTS)[number], ListTiming>> {
  const clients = [new ConversationClient(few.server.url), new ConversationClient(many.server.url)] as const;
  const subjects = [...(await subjectsOf('few', clients[0], few)), ...(await subjectsOf('many', clients[1], many))];
  const isSearch = ({ name }: Subject): boolean => name.endsWith('word');
  const timings = new Map([
    ...(await takeTurns(
      subjects.filter((subject) => !isSearch(subject)),
      ROUNDS,
      WARM_UP,
    )),
    ...(await takeTurns(subjects.filter(isSearch), SEARCH_ROUNDS, 2)),
  ]);
  for (const client of clients) await client.close();
  const of = (name: string): Timing => timings.get(name) ?? { took: Number.NaN, cpu: Number.NaN };
  const both = (list: string): ListTiming => ({ few: of(`few ${list}`), many: of(`many ${list}`) });
  return Object.fromEntries(LISTS.map((list) => [list, both(list)])) as Record<(typeof LISTS)[number], ListTiming>;
}

interface List {
  conversations: { id: string }[];
  nextCursor: string | null;
}

async function subjectsOf(
  name: string,
  client: ConversationClient,
  { server, taskId, cursorAt }: ListServer,
): Promise<Subject[]> {
  const list = async (query: string): Promise<List> =>
    await client.json<List>('GET', `/api/chat/conversations?limit=20${query}`);
  const { nextCursor } = await list(`&offset=${cursorAt - 20}`);
  const queries: Record<(typeof LISTS)[number], string> = {
    'first page': '',
    'after a cursor': `&cursor=${nextCursor}`,
    'of a task': `&taskId=${taskId}`,
    'rare word': '&q=seldom',
    'frequent word': '&q=harbour',
  };
  return LISTS.map((what) => ({
    name: `${name} ${what}`,
    pid: server.pid,
    run: async () => {
      const { conversations } = await list(queries[what]);
      const isEnough = conversations.length === 20 || (name === 'few' && what.endsWith('word'));
      if (!isEnough) throw new Error(`${name} ${what}: ${conversations.length} conversations instead of 20`);
    },
  }));
}
