import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../src/core/json.ts';
import { openDatabase } from '../src/storage/database.ts';
import { insertToolRule } from '../src/storage/tool-rules.ts';
import { judge } from '../src/tools/policy/judge.ts';
import { RuleBook } from '../src/tools/policy/rule-book.ts';
import { builtInTools } from '../src/tools/registry.ts';
import { newFolder } from './processes.ts';
import { median } from './report.ts';

const RULES = 1000;
const ROUNDS = 300;
const OWNER = 'local';

/** What a decision may take, in milliseconds. */
const TARGET_MS = 1;

const CALLS: [tool: string, given: JsonObject][] = [
  ['exec', { command: 'git status && git diff --stat | head -50' }],
  ['exec', { command: 'for name in src/*.ts; do grep -n "export" "$name" | wc -l; done; npm test 2>&1 | tail -20' }],
  ['read_file', { path: 'src/deep/file.ts' }],
  ['write_file', { path: 'src/deep/new.ts', content: '' }],
  ['web_fetch', { url: 'https://docs.example.com/page' }],
  ['todo_write', { todos: [] }],
];

const folder = newFolder();
const workspace = join(folder, 'workspace');
mkdirSync(join(workspace, 'src/deep'), { recursive: true });
writeFileSync(join(workspace, 'src/deep/file.ts'), '');
const { db, close } = await openDatabase({ file: join(folder, 'profclaw.db') });
const policy = { rules: new RuleBook(db), workspace, hidden: [] };
const tools = new Map(builtInTools({ isUnsandboxedAllowed: false }).map((tool) => [tool.name, tool]));

const without = await timeAll();
await db.transaction().execute(async (tx) => {
  for (let index = 0; index < RULES; index++)
    await insertToolRule(tx, {
      ...{ id: `rule_${index}`, owner: OWNER, conversation: 0, conversation_id: null, expires_at: null },
      ...ruleAt(index),
      action: index % 8 < 4 ? 'deny' : 'allow',
    });
});
const within = await timeAll();
await close();

console.log(`What a decision takes, from a call's arguments to allow, ask or refuse: the rules' version is read from an SQLite
file, the command line parsed, the path walked. Medians of ${ROUNDS}, milliseconds.\n`);
console.log(`| call | without rules | with ${RULES} rules |\n| --- | --- | --- |`);
for (const [index, [name, given]] of CALLS.entries())
  console.log(`| ${name} ${JSON.stringify(given)} | ${without[index]?.toFixed(3)} | ${within[index]?.toFixed(3)} |`);
const longest = Math.max(...within);
console.log(
  `\nThe longest: **${longest.toFixed(2)} ms**, ${longest < TARGET_MS ? 'pass' : '**miss**'} (target ${TARGET_MS} ms)`,
);
process.exitCode = longest < TARGET_MS ? 0 : 1;

async function timeAll(): Promise<number[]> {
  const medians: number[] = [];
  for (const [name, given] of CALLS) {
    const tool = tools.get(name);
    if (!tool) throw new Error(`there is no tool ${name}`);
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const began = performance.now();
      await judge(policy, { owner: OWNER, conversation: 1, tool, given, mode: 'ask' });
      times.push(performance.now() - began);
    }
    medians.push(median(times));
  }
  return medians;
}
/** None of them is about what is called, so each is held against it. */
function ruleAt(index: number): { tool: string; match: JsonObject } {
  switch (index % 4) {
    case 0:
      return { tool: 'exec', match: { command: `program-${index} --flag *` } };
    case 1:
      return { tool: '*', match: { path: `packages/*/src-${index}/**` } };
    case 2:
      return { tool: '*', match: { host: `*.host-${index}.example` } };
    default:
      return { tool: '*', match: { arguments: { command: `exactly ${index}` } } };
  }
}
