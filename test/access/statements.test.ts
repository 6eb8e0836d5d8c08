import { expect, it } from 'vitest';
import { driveAccess, driveBackground, driveConversations, driveRoutes } from './matrix-drive.ts';
import { driveResponses } from './matrix-drive-responses.ts';
import { driveRuns } from './matrix-drive-runs.ts';
import { prepareStage } from './matrix-isolation.ts';
import { type OpenServer, onBothDatabases, type Statement } from './matrix-server.ts';
import { EXCEPTIONS, isOfOwned, isOwnerless, ownedTables, ownersIn, plain } from './matrix-statements.ts';

onBothDatabases(prepareStage, (stage) => {
  it('every statement on rows of somebody says whose they are, and they are the caller’s', async () => {
    const { server, people } = stage();
    const owned = await ownedTables(server.db);
    expect(owned).toEqual(expect.arrayContaining(['conversations', 'messages', 'tasks', 'api_keys', 'budgets']));
    const person = await people.signUp('member', 'driver@example.com');
    const session = await person.session();
    const hers = await heard(server, async () => {
      await driveConversations(stage(), session);
      await driveRuns(stage(), session);
      await driveResponses(stage(), session);
      await driveRoutes(stage(), session, ['any', 'person', 'chat', 'tools', 'conversations:read']);
    });
    const others = await heard(server, async () => {
      await driveRoutes(stage(), await people.admin.session(), ['admin', 'providers:write']);
      await driveAccess(stage());
      await driveBackground(stage());
    });
    const ownerless = [...hers, ...others].filter((statement) => isOwnerless(statement, owned)).map(plain);
    const excused = EXCEPTIONS.flatMap(([, ...statements]) => statements);
    expect(new Set(ownerless.filter((sql) => !excused.some((one) => one.test(sql))))).toEqual(new Set());
    expect(excused.filter((one) => !ownerless.some((sql) => one.test(sql)))).toEqual([]);

    // Nobody, '', has conversations that are being made or deleted. What is written of many runs at once says whose in
    // each of its rows.
    const isHers = (sql: string, parameters: readonly unknown[]) =>
      parameters.includes(person.id) ||
      (/ conversations /.test(sql) && parameters.includes('')) ||
      ownersIn(parameters).join() === person.id;
    const named = hers.filter((statement) => isOfOwned(statement, owned) && !isOwnerless(statement, owned));
    const strange = named.filter((statement) => !isHers(plain(statement), statement.parameters));
    expect(new Set(named.map(plain)).size).toBeGreaterThan(60);
    expect(new Set(strange.map(plain))).toEqual(new Set());
  });
});

/** What the server asks its database in the meantime. */
async function heard(server: OpenServer, work: () => Promise<void>): Promise<Statement[]> {
  const statements: Statement[] = [];
  server.listen((statement) => {
    if (!statement.sql.includes('/* of the test */')) statements.push(statement);
  });
  await work();
  server.listen(() => {});
  return statements;
}
