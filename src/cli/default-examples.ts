import type { Command } from 'commander';
import { addExamples } from './examples.ts';

/** How commands are used whose own files do not say it, by their names. */
const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  runs: ['profclaw runs', 'profclaw runs watch run_01k…'],
  'runs list': ['profclaw runs list --status waiting_approval', 'profclaw runs list --json'],
  'runs show': ['profclaw runs show run_01k…'],
  'runs watch': ['profclaw runs watch run_01k…', 'profclaw runs watch run_01k… --thinking'],
  'runs cancel': ['profclaw runs cancel run_01k…'],
  'runs approve': ['profclaw runs approve approval_01k…', 'profclaw runs approve approval_01k… --always'],
  'runs deny': ['profclaw runs deny approval_01k… --reason "not on this branch"'],
  backup: ['profclaw backup', 'profclaw backup /backups/monday'],
  restore: ['profclaw restore /backups/monday', 'profclaw restore /backups/monday --replace'],
  migrate: ['profclaw migrate --to postgres://user:password@host/database'],
};

/** Adds them to the commands below one. */
export function addDefaultExamples(parent: Command, path: readonly string[] = []): void {
  for (const command of parent.commands) {
    const names = [...path, command.name()];
    const lines = EXAMPLES[names.join(' ')];
    if (lines !== undefined) addExamples(command, ...lines);
    addDefaultExamples(command, names);
  }
}
