import { type CompiledRule, compileRule } from '../../../src/tools/policy/compiled-rule.ts';

const ALLOWED = [
  'git status *',
  'git log *',
  'git diff *',
  'ls *',
  'cat *',
  'grep *',
  'find *',
  'echo *',
  'wc *',
  'sort *',
  'head *',
  'npm test',
  'tar *',
  'awk *',
  'sed *',
  'xargs *',
  'node --version',
  'make build',
];
const DENIED = ['rm *', 'git push *'];

function rulesOf(commands: readonly string[], action: 'allow' | 'deny'): CompiledRule[] {
  return commands.map((command) =>
    compileRule({ id: `${action} ${command}`, tool: 'exec', match: { command }, action, conversation: 0 }),
  );
}

/** What the table is decided by: those that allow, and those that deny. */
export const ALLOWING = rulesOf(ALLOWED, 'allow');
export const DENYING = rulesOf(DENIED, 'deny');
