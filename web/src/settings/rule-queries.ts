import { queryOptions } from '@tanstack/react-query';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';
import type { Rule } from './rule-words.ts';

/** A tool that runs may call. */
export interface Tool {
  name: string;
  description: string;
  level: 'safe' | 'moderate' | 'dangerous';
  effect: 'read' | 'idempotent' | 'unsafe';
  /** May it be called in the mode `sandbox`? */
  sandbox: boolean;
}

/** By what commands are isolated on the server's machine. */
export interface Sandbox {
  kind: 'bubblewrap' | 'none';
  /** There is none, and commands run without. */
  unsandboxed: boolean;
  bounds: 'cgroup' | 'watch';
}

/** How the tools are asked for. */
export const TOOLS = queryOptions({
  queryKey: [...KEYS.tools, 'with-sandbox'],
  queryFn: () => ask<{ tools: Tool[]; sandbox: Sandbox }>('/api/chat/tools'),
});

/** How all of one's own rules are asked for, newest first: there are 1,000 at most. */
export const RULES = queryOptions({ queryKey: KEYS.rules, queryFn: allRules });

async function allRules(): Promise<Rule[]> {
  const rules: Rule[] = [];
  for (let cursor = ''; ; ) {
    const page = await ask<{ rules: Rule[]; nextCursor: string | null }>('/api/chat/tools/rules', {
      query: { limit: 100, cursor },
    });
    rules.push(...page.rules);
    if (page.nextCursor === null) return rules;
    cursor = page.nextCursor;
  }
}
