import { createHash } from 'node:crypto';

/** What providers take as the name of a tool. */
const MAX_CHARS = 64;
const PREFIX = 'mcp';
const SEPARATOR = '__';
const HASH_CHARS = 8;

/**
 * The name under which models call a server's tool: `mcp__server__tool`. Where the server's own name is not fit for
 * that, or too long, it is made so and told apart by a hash: it depends on these two names alone, so that rules go on to
 * fit whatever else the server offers.
 */
export function mcpToolName(server: string, tool: string): string {
  const plain = [PREFIX, server, tool].join(SEPARATOR);
  if (/^[\w-]+$/.test(plain) && plain.length <= MAX_CHARS && tool !== '') return plain;
  const hash = createHash('sha256').update(`${server}\0${tool}`).digest('hex').slice(0, HASH_CHARS);
  const fit = [PREFIX, server, tool.replaceAll(/[^\w-]+/g, '_')].join(SEPARATOR);
  return `${fit.slice(0, MAX_CHARS - HASH_CHARS - 1)}_${hash}`;
}
