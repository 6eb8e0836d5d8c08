import { RequestError } from '../client/client.ts';
import { CommandError } from './exit-codes.ts';

/** What the server's words say to call, and the commands that do the same. */
const COMMANDS: readonly (readonly [RegExp, string])[] = [
  [/GET \/api\/chat\/models lists/g, '`profclaw providers models <type>` lists'],
  [/GET \/api\/chat\/providers lists/g, '`profclaw providers list` lists'],
  [/POST \/api\/chat\/providers\/([\w:.-]+)\/configure \{"enabled": true\}/g, '`profclaw providers set $1 --enable`'],
  [/POST \/api\/chat\/providers\/([\w:.-]+)\/configure/g, '`profclaw providers set $1`'],
  [
    /make one that has it with POST \/api\/keys/g,
    'make one with `profclaw keys create <name> --scope chat tools conversations:read`',
  ],
  [/POST \/api\/keys makes/g, '`profclaw keys create <name> --scope chat tools conversations:read` makes'],
  [/GET \/api\/chat\/approvals\?status=pending/g, '`profclaw runs --status waiting_approval`'],
];

/** What a server says to people who call it, in the words of the command line. */
export function inCommands(said: string): string {
  return COMMANDS.reduce((text, [call, command]) => text.replace(call, command), said);
}

/** What the server has against a request, with what it says to do; other errors stay as they are. */
export function forPerson(error: unknown): unknown {
  if (!(error instanceof RequestError)) return error;
  const { hint } = error.details;
  return new CommandError(inCommands(typeof hint === 'string' ? `${error.message}. ${hint}` : error.message));
}
