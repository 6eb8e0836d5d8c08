import { textOf } from './budget-words.ts';
import { readArguments } from './rule-arguments.tsx';
import type { RuleMatch } from './rule-words.ts';

/** A rule as `POST /api/chat/tools/rules` takes it. */
export interface RuleDraft {
  tool: string;
  match: RuleMatch;
  action: string;
  conversationId?: string;
  expiresAt?: string;
}

/** What the form of a rule says, or what is wrong with its exact arguments. */
export function draftOf(form: FormData): RuleDraft | { problem: string } {
  const tool = textOf(form, 'tool');
  const exact = textOf(form, 'match.arguments');
  const read = readArguments('', exact);
  if ('problem' in read) return read;
  const [command, path, host] = [textOf(form, 'match.command'), textOf(form, 'match.path'), textOf(form, 'match.host')];
  const conversationId = textOf(form, 'conversationId');
  const until = textOf(form, 'expiresAt');
  return {
    tool,
    match: {
      ...(command === '' ? {} : { command }),
      ...(path === '' ? {} : { path }),
      ...(host === '' ? {} : { host }),
      ...(exact === '' ? {} : { arguments: read.arguments }),
    },
    action: textOf(form, 'action'),
    ...(conversationId === '' ? {} : { conversationId }),
    // The field has this machine's time, without saying so.
    ...(until === '' ? {} : { expiresAt: new Date(until).toISOString() }),
  };
}
