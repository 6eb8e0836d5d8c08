/** What calls a rule is about; all that is given has to fit. */
export interface RuleMatch {
  command?: string;
  path?: string;
  host?: string;
  arguments?: Record<string, unknown>;
}

/** A stored rule, as the API shows it. */
export interface Rule {
  id: string;
  tool: string;
  match: RuleMatch;
  action: 'allow' | 'deny';
  scope: 'user' | 'conversation';
  conversationId: string | null;
  createdAt: string;
  expiresAt: string | null;
  /** How many calls it has allowed or denied. */
  usedCount: number;
}

/** What would happen to a call. */
export interface Decision {
  decision: 'allow' | 'ask' | 'refuse';
  /** The id of the rule that decides; null: none does. */
  rule: string | null;
  reason: string;
}

/** Which calls a rule is about, part by part: what it goes by, and the pattern. */
export function matchWords({ command, path, host, arguments: exact }: RuleMatch): { name: string; pattern: string }[] {
  return [
    ...(command === undefined ? [] : [{ name: 'command', pattern: command }]),
    ...(path === undefined ? [] : [{ name: 'path', pattern: path }]),
    ...(host === undefined ? [] : [{ name: 'host', pattern: host }]),
    ...(exact === undefined ? [] : [{ name: 'exactly', pattern: JSON.stringify(exact) }]),
  ];
}

/** What would happen, in words, with the class of its colour. */
export const DECISIONS = {
  allow: { text: 'It would be carried out', tone: 'good' },
  ask: { text: 'You would be asked', tone: 'warn' },
  refuse: { text: 'It would be refused', tone: 'bad' },
} as const;
