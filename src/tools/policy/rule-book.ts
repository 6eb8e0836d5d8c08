import type { Kysely } from 'kysely';
import type { Schema } from '../../storage/schema.ts';
import { readToolRules, ruleSetVersion, type ToolRuleRow } from '../../storage/tool-rules.ts';
import { type CompiledRule, compileRule } from './compiled-rule.ts';
import type { Rule, RuleMatch } from './rule.ts';

/** Owners whose rules are kept ready. */
const MOST_KEPT = 1000;

interface Kept {
  version: number;
  rules: readonly CompiledRule[];
}

/** The owners' rules, ready to be held against calls: read anew whenever they have changed, on whichever node. */
export class RuleBook {
  readonly #db: Kysely<Schema>;
  readonly #kept = new Map<string, Kept>();

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  /** Those that hold now in a conversation. @param conversation its number; undefined: only those for all. */
  async rulesFor(owner: string, conversation: number | undefined): Promise<readonly CompiledRule[]> {
    const now = Date.now();
    const rules = await this.#rulesOf(owner);
    return rules.filter(
      ({ rule }) =>
        (rule.conversation === 0 || rule.conversation === conversation) &&
        (rule.expiresAt === undefined || rule.expiresAt > now),
    );
  }

  async #rulesOf(owner: string): Promise<readonly CompiledRule[]> {
    // Before the rules: what changes in between is seen the next time.
    const version = await ruleSetVersion(this.#db, owner);
    const kept = this.#kept.get(owner);
    if (kept?.version === version) return kept.rules;
    const rules = (await readToolRules(this.#db, owner)).map((row) => compiled(toRule(row)));
    this.#kept.delete(owner);
    this.#kept.set(owner, { version, rules });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MOST_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    return rules;
  }
}

/** A rule out of its row. */
function toRule({ id, tool, action, conversation, expires_at, match }: ToolRuleRow): Rule {
  const rule = { id, tool, action, conversation, match: JSON.parse(match) as RuleMatch };
  return expires_at === null ? rule : { ...rule, expiresAt: expires_at };
}

/** A rule that this version cannot read, because an older one wrote it: denies everything, or allows nothing. */
function compiled(rule: Rule): CompiledRule {
  try {
    return compileRule(rule);
  } catch {
    const all = compileRule({ ...rule, tool: '*', match: {} });
    return rule.action === 'deny' ? all : { ...all, isFor: () => false };
  }
}
