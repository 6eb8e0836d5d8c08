import { readFileSync } from 'node:fs';
import type { Kysely } from 'kysely';
import { z } from 'zod';
import { simulate } from '../agent/simulate.ts';
import { LOCAL_OWNER } from '../auth/principal.ts';
import type { Config } from '../config.ts';
import { isObject, type JsonObject, tryParseJson } from '../core/json.ts';
import { hiddenFolders } from '../hidden-folders.ts';
import { findAccount } from '../storage/accounts.ts';
import { getConversation } from '../storage/conversations.ts';
import type { Schema } from '../storage/schema.ts';
import { checkRules } from '../tools/policy/add-rule.ts';
import { explainCall } from '../tools/policy/explain.ts';
import type { PolicyContext } from '../tools/policy/judge.ts';
import { withoutAbsent } from '../tools/policy/rule.ts';
import { RuleBook } from '../tools/policy/rule-book.ts';
import { builtInTools } from '../tools/registry.ts';
import { SECURITY_MODES, type SecurityMode, type Tool } from '../tools/tool.ts';
import { withExistingDatabase } from './existing-database.ts';
import { wrongUse } from './exit-codes.ts';
import { plainJson } from './plain-json.ts';
import { onOneLine } from './style.ts';

/** Whose rules and calls, and in which mode. */
interface PolicyOptions {
  /** The email of an account; without it, whoever uses the server without one. */
  user?: string;
  mode?: string;
  conversation?: string;
  /** Say it as JSON. */
  json?: boolean;
}

/**
 * Says what would happen to a call of a built-in tool, and by which rule.
 * @param given the arguments as JSON. @throws Error for a person
 */
export async function explainCommand(
  config: Config,
  write: (line: string) => void,
  tool: string,
  given: string,
  { user, mode = 'ask', conversation: id, json }: PolicyOptions,
): Promise<void> {
  const parsed = tryParseJson(given);
  if (!isObject(parsed)) throw wrongUse(`the arguments ${given} are not a JSON object`);
  await withExistingDatabase(config, 'rule_sets', async (db) => {
    const owner = await ownerOf(db, user);
    const conversation = id === undefined ? undefined : await numberOf(db, owner, id);
    const call = { owner, conversation, mode: readMode(mode), tool, arguments: parsed };
    const { decision, rule, reason } = await explainCall(policyOf(db, config), builtInTools(config.tools), call);
    if (json) write(plainJson({ decision, rule, reason }));
    else write(onOneLine(`${decision}${rule === null ? '' : ` (${rule})`}: ${reason}`));
  });
}

const Rules = z.array(
  z.strictObject({
    tool: z.string(),
    match: z
      .strictObject({
        command: z.string().optional(),
        path: z.string().optional(),
        host: z.string().optional(),
        arguments: z.custom<JsonObject>(isObject).optional(),
      })
      .default({}),
    action: z.enum(['allow', 'deny']),
  }),
);

/**
 * Says which calls of the last runs other rules would decide on otherwise.
 * @param file JSON: a list of `{tool, match?, action}`. @throws Error for a person
 */
export async function simulateCommand(
  config: Config,
  write: (line: string) => void,
  file: string,
  { user, mode, conversation: conversationId, runs = '20', json }: PolicyOptions & { runs?: string },
): Promise<void> {
  const rules = readRules(file, builtInTools(config.tools));
  const count = Number(runs);
  if (!Number.isInteger(count) || count < 1 || count > 1000) throw wrongUse(`--runs ${runs} is not 1 to 1000`);
  await withExistingDatabase(config, 'rule_sets', async (db) => {
    const owner = await ownerOf(db, user);
    const context = { db, owner, policy: policyOf(db, config), tools: builtInTools(config.tools) };
    const chosen = mode === undefined ? undefined : readMode(mode);
    const calls = await simulate(context, { rules, mode: chosen, conversationId, runs: count });
    if (json) return write(plainJson(calls, 2));
    const changed = calls.filter(({ stored, proposed }) => stored.decision !== proposed.decision);
    for (const { runId, tool, arguments: given, stored, proposed } of changed)
      write(
        onOneLine(
          `${stored.decision} -> ${proposed.decision}: ${tool} ${plainJson(given)} of ${runId}: ${proposed.reason}`,
        ),
      );
    write(`${changed.length} of ${calls.length} calls would be decided on otherwise`);
  });
}

function readRules(
  file: string,
  tools: readonly Tool[],
): (Pick<z.output<typeof Rules>[number], 'tool' | 'action'> & { match: ReturnType<typeof withoutAbsent> })[] {
  const parsed = Rules.safeParse(tryParseJson(readFileSync(file, 'utf8')));
  if (!parsed.success) {
    const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
    throw new Error(`${file} is not a list of rules {tool, match, action}: ${issues}`);
  }
  const rules = parsed.data.map(({ match, ...rule }) => ({
    ...rule,
    match: withoutAbsent({ command: match.command, path: match.path, host: match.host, arguments: match.arguments }),
  }));
  checkRules(rules, tools, (index) => `${index}.`);
  return rules;
}

function policyOf(db: Kysely<Schema>, config: Config): PolicyContext {
  return { rules: new RuleBook(db), workspace: config.workspace, hidden: hiddenFolders(config) };
}

async function ownerOf(db: Kysely<Schema>, email: string | undefined): Promise<string> {
  if (email === undefined) return LOCAL_OWNER;
  const account = await findAccount(db, email.toLowerCase());
  if (!account) throw new Error(`there is no account with the email ${email}`);
  return account.owner;
}

async function numberOf(db: Kysely<Schema>, owner: string, id: string): Promise<number> {
  const row = await getConversation(db, owner, id);
  if (!row) throw new Error(`there is no conversation ${id}`);
  return row.number;
}

function readMode(text: string): SecurityMode {
  const mode = SECURITY_MODES.find((one) => one === text);
  if (!mode) throw wrongUse(`--mode ${text} is none of ${SECURITY_MODES.join(', ')}`);
  return mode;
}
