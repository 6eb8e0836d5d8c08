import { describe, expect, it } from 'vitest';
import { inOurForm } from '../error-form.ts';
import type { Json } from '../server.ts';
import {
  CONVERSATIONS,
  faceless,
  HERS,
  type Link,
  linked,
  linksOf,
  listsOf,
  missing,
  namesOwned,
  OTHERS,
  prepareStage,
  type Stage,
} from './matrix-isolation.ts';
import { fill, type Operation, sampleBody } from './matrix-requests.ts';
import { SCOPE_OF } from './matrix-scopes.ts';
import { type Answer, type Credential, onBothDatabases } from './matrix-server.ts';
import { allRows, idsOf, rowsOf } from './matrix-statements.ts';
import { type Ids, Things } from './matrix-things.ts';

const shown = ({ status, body }: Answer): string => `${status} ${JSON.stringify(body)}`;

onBothDatabases(prepareStage, (stage) => {
  describe.each(OTHERS)('%s', (other) => {
    it('finds nothing of hers by its id, as if there were nothing', async () => {
      const { server, document, operations, others, own } = stage();
      const complaints: string[] = [];
      let asked = 0;
      for (const operation of operations.filter(namesOwned)) {
        const ask = (values: Ids): Promise<Answer> =>
          server.ask(operation.method, fill(operation.path, values), others[other], sampleBody(document, operation));
        for (const ids of waysToName(stage(), operation, own[other])) {
          const isOwn = (id: string) => id === own[other].id;
          const none = Object.fromEntries(
            Object.entries(ids).map(([name, id]) => [name, isOwn(id) ? id : missing(id)]),
          );
          const [hers, nobodys] = [await ask(ids), await ask(none)];
          // A member's key is nobody's person.
          const isRefused = SCOPE_OF.get(operation.name) === 'person' && other === 'another member’s key';
          const expected = isRefused ? [403, 'forbidden'] : [404, 'not_found'];
          const isSame = faceless(hers, Object.values(ids)) === faceless(nobodys, Object.values(none));
          asked++;
          // In what is not there, nothing runs.
          if (isSame && hers.status === 204 && operation.path.endsWith('/stream')) continue;
          if (isSame && hers.status === expected[0] && inOurForm(hers).code === expected[1]) continue;
          complaints.push(`${operation.name}: ${shown(hers)}; of nobody’s: ${shown(nobodys)}`);
        }
      }
      expect(complaints).toEqual([]);
      expect(asked).toBeGreaterThan(25);
    });

    it('cannot have anything of hers put into something else', async () => {
      const { others, own, operations } = stage();
      const complaints: string[] = [];
      const links = linksOf(operations);
      for (const link of links) {
        const id = linked(stage(), link);
        const [hers, nobodys] = [
          await askWith(stage(), link, others[other], own[other], id),
          await askWith(stage(), link, others[other], own[other], missing(id)),
        ];
        const isSame = faceless(hers, [id]) === faceless(nobodys, [missing(id)]);
        // What an export names and is not here is left out; a filter lets nothing through.
        const { conversation = {}, runs, approvals } = hers.body;
        const total = (runs ?? approvals)?.length ?? hers.body.total;
        const isLeftOut = hers.status === 201 && !JSON.stringify(conversation).includes(id);
        const isNothing =
          link.place === 'query'
            ? total === 0
            : link.operation.path.endsWith('/import')
              ? isLeftOut
              : hers.status === 404;
        if (isSame && isNothing) continue;
        complaints.push(`${link.operation.name} ${link.field}: ${shown(hers)}; of nobody’s: ${shown(nobodys)}`);
      }
      expect(complaints).toEqual([]);
      expect(links.length).toBeGreaterThan(15);
    });

    it('sees nothing of hers in lists, totals and searches', async () => {
      const { server, others, own, seen, her } = stage();
      const lists = await listsOf(stage(), others[other]);
      const compared = [
        'tasks',
        'tickets',
        'chat/presets',
        'keys',
        'auth/sessions',
        'chat/runs',
        'chat/approvals',
        'chat/tools/rules',
      ];
      for (const name of compared.map((end) => `get /api/${end}`)) expect(lists[name], name).toEqual(seen[other][name]);
      const text = JSON.stringify(lists);
      expect(text).not.toContain(HERS);
      for (const id of idsOf(stage().rows, her.owner)) expect(text).not.toContain(id);
      const find = async (q: string) => (await server.ask('GET', `${CONVERSATIONS}?q=${q}`, others[other])).body;
      expect(await find(HERS)).toEqual({ conversations: [], total: 0, nextCursor: null });
      expect((await find('Somebody')).conversations.map(({ id }: Json) => id)).toContain(own[other].id);
    });

    it('pages through its own, also on from a cursor of hers', async () => {
      const { server, others, own, her } = stage();
      const page = async (query: string, as: Credential): Promise<Json> =>
        (await server.ask('GET', `${CONVERSATIONS}?${query}`, as)).body;
      const all = await page('limit=100', others[other]);
      const { nextCursor } = await page('limit=1', her.credential);
      const onwards = await page(`limit=100&cursor=${nextCursor}`, others[other]);
      expect(onwards.conversations.map(({ id }: Json) => id)).toContain(own[other].id);
      expect(JSON.stringify(onwards)).not.toContain(HERS);
      const totals = [onwards.total, (await page('limit=1', others[other])).total];
      expect(totals).toEqual([all.conversations.length, all.conversations.length]);
    });
  });

  it('after all that hers is as it was, and nobody has anything that leads to it', async () => {
    const { server, her, rows, others } = stage();
    // What has no id in its path ends one's own.
    for (const other of OTHERS) await server.ask('DELETE', '/api/auth/sessions', others[other]);
    const now = await allRows(server.db);
    expect(rowsOf(rows, her.owner).length).toBeGreaterThan(50);
    expect(rowsOf(now, her.owner)).toEqual(rowsOf(rows, her.owner));
    const ids = idsOf(rows, her.owner);
    // The log says what was tried, and a key stands for a request as it was sent.
    const elsewhere = [...now].filter(([table]) => !['audit_log', 'idempotency_keys'].includes(table));
    const strange = JSON.stringify(
      elsewhere.map(([table, all]) => [table, all.filter(({ owner }) => owner !== her.owner)]),
    );
    expect(ids.filter((id) => strange.includes(id))).toEqual([]);
    expect(strange).not.toContain(HERS);
  });

  it('all of this is hers: she can do each of it', async () => {
    const { server, document, operations, her, hers } = stage();
    const complaints: string[] = [];
    for (const link of linksOf(operations)) {
      const isAnswer = link.operation.path.endsWith('/approve');
      const own = isAnswer ? await her.things.waiting() : await her.things.conversation();
      const name = link.field.split('.').at(-1) ?? '';
      const id = isAnswer || name === 'messageId' ? own[name] : linked(stage(), link);
      const answer = await askWith(stage(), link, her.credential, own, id ?? '');
      const isFound = answer.status <= 201 && (answer.body.runs ?? answer.body.approvals)?.length !== 0;
      if (!isFound) complaints.push(`${link.operation.name} ${link.field}: ${shown(answer)}`);
    }
    for (const operation of operations.filter(namesOwned)) {
      const path = fill(operation.path, hers.get(operation.name) ?? {});
      const answer = await server.ask(operation.method, path, her.credential, sampleBody(document, operation));
      if (answer.status === 404) complaints.push(`${operation.name}: ${shown(answer)}`);
    }
    expect(complaints).toEqual([]);
  });
});

onBothDatabases(prepareStage, (stage) => {
  const withKey = (credential: Credential): Credential => ({ ...credential, 'idempotency-key': 'everybody-s' });

  it('an idempotency key is its sender’s', async () => {
    const { server, others, her } = stage();
    const make = (credential: Credential, title: string) =>
      server.ask('POST', '/api/tasks', withKey(credential), { title, prompt: 'P' });
    const made = new Set([(await make(her.credential, HERS)).body.task.id]);
    // One of each owner.
    for (const other of ['another member', 'an admin', 'the owner'] as const) {
      const [first, again] = [await make(others[other], other), await make(others[other], other)];
      expect(first).toMatchObject({ status: 201, body: { task: { title: other } } });
      expect([first, again].map(({ headers }) => headers.get('idempotency-replayed'))).toEqual([null, 'true']);
      made.add(first.body.task.id);
    }
    expect(made.size).toBe(4);
  });

  it('an idempotency key does not open a conversation', async () => {
    const { server, others, her } = stage();
    const { id } = await her.things.conversation();
    const send = (credential: Credential) =>
      server.ask('POST', `${CONVERSATIONS}/${id}/messages`, withKey(credential), { content: HERS, model: 'demo' });
    expect((await send(her.credential)).status).toBe(200);
    for (const other of OTHERS) expect(await send(others[other])).toMatchObject({ status: 404 });
    expect((await send(her.credential)).headers.get('idempotency-replayed')).toBe('true');
  });

  it('nor a run, which it finds again for her', async () => {
    const { server, others, her } = stage();
    const { id } = await her.things.conversation();
    const content = `${HERS}\n/tool exec {"command":"true"}`;
    const send = (credential: Credential) =>
      server.ask('POST', `${CONVERSATIONS}/${id}/messages/with-tools`, withKey(credential), { content });
    const { runId } = (await send(her.credential)).body;
    expect(runId).toMatch(/^run_/);
    for (const other of OTHERS) expect(await send(others[other])).toMatchObject({ status: 404 });
    expect((await send(her.credential)).body.runId).toBe(runId);
    const { runs } = (await server.ask('GET', `/api/chat/runs?conversationId=${id}`, her.credential)).body;
    expect(runs).toHaveLength(1);
  });

  it('a rule that somebody has made for all of their own counts for nobody else', async () => {
    const { server, others, her } = stage();
    const content = `/tool write_file ${JSON.stringify({ path: 'allowed', content: HERS })}`;
    const send = async (credential: Credential, id: string): Promise<Json> =>
      (await server.ask('POST', `${CONVERSATIONS}/${id}/messages/with-tools`, credential, { content })).body;
    const ask = async (credential: Credential, things: Things) => {
      const { id = '' } = await things.conversation();
      const { finishReason, pendingApprovals } = await send(credential, id);
      return { finishReason, conversationId: id, approvalId: pendingApprovals[0]?.id };
    };
    const { finishReason, ...asked } = await ask(her.credential, her.things);
    expect(finishReason).toBe('approval-required');
    const answer = { ...asked, decision: 'allow-always', scope: 'user' };
    expect((await her.things.post('/api/chat/tools/approve', answer)).run.status).toBe('completed');
    expect(await ask(her.credential, her.things)).toMatchObject({ finishReason: 'stop' });
    for (const other of OTHERS) {
      const things = new Things(server, others[other], 'Somebody else’s');
      expect(await ask(others[other], things)).toMatchObject({ finishReason: 'approval-required' });
    }
  });

  it('everybody’s tickets are numbered from 1, and everybody’s lists begin empty', async () => {
    const { server, people } = stage();
    const session = await (await people.signUp('member', 'new@example.com')).session();
    const { total: builtIn } = (await server.ask('GET', '/api/chat/presets', session)).body;
    for (const path of ['/api/tasks', '/api/tickets', CONVERSATIONS, '/api/keys'])
      expect((await server.ask('GET', path, session)).body.total, path).toBe(0);
    for (const name of ['runs', 'approvals'])
      expect((await server.ask('GET', `/api/chat/${name}`, session)).body).toEqual({ [name]: [], nextCursor: null });
    expect(builtIn).toBe(6);
    const { ticket } = await new Things(server, session, 'First').post('/api/tickets', { title: 'First' });
    expect(ticket.key).toBe('PC-1');
  });

  it('an export has nothing for others in either form', async () => {
    const { server, others, her } = stage();
    const { id } = await her.things.conversation();
    for (const format of ['json', 'markdown']) {
      const path = `${CONVERSATIONS}/${id}/export?format=${format}`;
      expect(JSON.stringify((await server.ask('GET', path, her.credential)).body)).toContain(HERS);
      for (const other of OTHERS) {
        const { status, body } = await server.ask('GET', path, others[other]);
        expect({ status, body }).toMatchObject({ status: 404, body: { code: 'not_found' } });
      }
    }
  });

  it('a budget that is used up is its key’s', async () => {
    const { server, others, people } = stage();
    const spender = await people.signUp('member', 'spender@example.com');
    const { credential } = await spender.key(['chat'], { budget: { tokens: 1 } });
    const ask = (as: Credential) => server.ask('POST', '/api/chat/quick', as, { prompt: 'Hello', model: 'demo' });
    expect((await ask(credential)).status).toBe(200);
    expect(await ask(credential)).toMatchObject({ status: 429, body: { code: 'budget_exceeded' } });
    for (const as of [await spender.session(), others['another member’s key'], others['an admin’s key']])
      expect((await ask(as)).status).toBe(200);
  });

  it('admins see an account and what it may do, not what it does', async () => {
    const { server, others, her } = stage();
    await her.things.conversation();
    for (const other of ['an admin', 'the owner', 'the access key'] as const) {
      const { user } = (await server.ask('GET', `/api/users/${her.owner}`, others[other])).body;
      expect(Object.keys(user).toSorted()).toEqual([
        'budget',
        'createdAt',
        'email',
        'id',
        'lastLoginAt',
        'name',
        'rateLimit',
        'role',
        'status',
      ]);
      const all = await Promise.all(
        ['/api/users', '/api/invites'].map(async (path) => (await server.ask('GET', path, others[other])).body),
      );
      expect(JSON.stringify(all)).not.toMatch(new RegExp(`${HERS}|argon2|hash`));
      // The log has what things are called by, and the names of keys.
      const { entries } = (await server.ask('GET', '/api/audit?limit=200', others[other])).body;
      const ofThings = entries.filter(({ action }: Json) => !action.startsWith('key.'));
      expect(JSON.stringify(ofThings)).not.toContain(HERS);
      expect(JSON.stringify(ofThings)).toContain(her.owner);
    }
  });

  it('invites are the admins’, and no code is shown again', async () => {
    const { server, others } = stage();
    const { body } = await server.ask('POST', '/api/invites', others['the owner'], { email: 'guest@example.com' });
    const list = await server.ask('GET', '/api/invites', others['an admin']);
    expect(list.body.invites).toContainEqual(body.invite);
    expect(JSON.stringify(list.body)).not.toContain(body.code);
    for (const method of ['GET', 'DELETE'])
      for (const id of [body.invite.id, missing(body.invite.id)]) {
        const path = method === 'GET' ? '/api/invites' : `/api/invites/${id}`;
        expect((await server.ask(method, path, others['another member'])).status).toBe(403);
      }
    expect((await server.ask('DELETE', `/api/invites/${body.invite.id}`, others['an admin'])).status).toBe(200);
  });

  it('the owner’s account and the access key have each their own sessions', async () => {
    const { server, others } = stage();
    const both = [others['the owner'], others['the access key']] as const;
    const [owners, keys] = await Promise.all(
      both.map(async (as) =>
        (await server.ask('GET', '/api/auth/sessions', as)).body.sessions.map(({ id }: Json) => id),
      ),
    );
    expect(owners.filter((id: string) => keys.includes(id))).toEqual([]);
    expect((await server.ask('DELETE', `/api/auth/sessions/${keys[0]}`, both[0])).status).toBe(404);
    expect((await server.ask('DELETE', `/api/auth/sessions/${owners[0]}`, both[1])).status).toBe(404);
    for (const as of both) {
      expect((await server.ask('DELETE', '/api/auth/sessions', as)).status).toBe(200);
      for (const one of both) expect((await server.ask('GET', '/api/auth/me', one)).status).toBe(200);
    }
  });

  it('whoever comes with the email of a deleted account finds nothing of it', async () => {
    const { server, people, others } = stage();
    const first = await people.signUp('member', 'reused@example.com');
    const things = new Things(server, await first.session(), HERS);
    const { id } = await things.make('/api/tasks/{id}');
    await things.conversation();
    expect((await server.ask('DELETE', `/api/users/${first.id}`, others['an admin'])).status).toBe(200);
    const second = await (await people.signUp('member', 'reused@example.com')).session();
    expect((await server.ask('GET', `/api/tasks/${id}`, second)).status).toBe(404);
    expect(JSON.stringify(await listsOf(stage(), second))).not.toContain(HERS);
  });
});

/** The ids by which a route can be asked for something of hers. */
function* waysToName({ hers }: Stage, { name }: Operation, own: Ids): Generator<Ids> {
  const ids = hers.get(name);
  if (!ids) throw new Error(`nothing of hers for ${name}`);
  const { id = '', messageId, key } = ids;
  if (messageId === undefined || !name.includes('{messageId}')) yield { id };
  else {
    yield { id, messageId };
    yield { id: own.id ?? '', messageId };
  }
  if (key !== undefined) yield { id: key };
}

/** Asks for something that a field of the request names; the path's conversation is the caller's own. */
function askWith(
  { server, document, hers }: Stage,
  { operation, place, field }: Link,
  credential: Credential,
  own: Ids,
  id: string,
): Promise<Answer> {
  const path = fill(operation.path, own);
  const { conversationId, approvalId } = own.approvalId === undefined ? waitingOfHers(hers) : own;
  const answer = { conversationId, approvalId, decision: 'deny', wait: 0 };
  const isAnswer = path === '/api/chat/tools/approve';
  if (place === 'query') return server.ask(operation.method, `${path}?${field}=${encodeURIComponent(id)}`, credential);
  const [first = '', second] = field.split('.');
  const fields = { ...(isAnswer ? answer : {}), [first]: second === undefined ? id : { [second]: id } };
  return server.ask(operation.method, path, credential, sampleBody(document, operation, fields));
}

function waitingOfHers(hers: Stage['hers']): Ids {
  return hers.get('get /api/chat/runs/{id}') ?? {};
}
