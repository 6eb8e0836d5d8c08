import { NATIVE_WIRE, type WireOf } from '../http/wire.ts';
import { ANTHROPIC_WIRE } from './anthropic-wire.ts';
import { MCP_WIRE } from './mcp-wire.ts';
import { OPENAI_WIRE } from './openai-wire.ts';

/** Whose API a request is of. Both vendors have `/v1/models`, so there the header tells that only one of them has. */
export const wireOf: WireOf = (path, headers) => {
  if (path === '/mcp') return MCP_WIRE;
  if (!path.startsWith('/v1/')) return NATIVE_WIRE;
  const isAnthropic = path.startsWith('/v1/messages') || headers['anthropic-version'] !== undefined;
  return isAnthropic ? ANTHROPIC_WIRE : OPENAI_WIRE;
};
