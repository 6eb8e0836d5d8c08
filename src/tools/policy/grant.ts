import type { Grant, SecurityMode } from '../tool.ts';
import type { Call } from './call.ts';
import type { CompiledRule } from './compiled-rule.ts';

/**
 * What a tool may touch while it carries out a call.
 * @param isAllowed by a rule or a person; the secrets that the call names itself are open then.
 */
export function grantOf(call: Call, rules: readonly CompiledRule[], mode: SecurityMode, isAllowed: boolean): Grant {
  const own = rules.filter((rule) => rule.isFor(call.tool.name));
  const allows = own.filter(({ rule }) => rule.action === 'allow');
  const ofPaths = allows.filter((rule) => rule.has('path') && rule.speaksOf(call, 'path'));
  const ofHosts = allows.filter((rule) => rule.has('host') && rule.speaksOf(call, 'host'));
  const denies = own.filter(({ rule }) => rule.action === 'deny');
  // Nothing that holds a secret, and nobody outside, whatever rules say.
  const isShut = mode === 'sandbox' || mode === 'deny';
  const named = new Set(isAllowed ? call.paths.filter(({ isSecret }) => isSecret).map(({ path }) => path) : []);
  return {
    opensSecret: (path) => !isShut && (named.has(path) || ofPaths.some((rule) => rule.namesPath(path))),
    hidesPath: (path) => denies.some((rule) => rule.matchesPath(path)),
    hostRule: (host, port) => {
      if (denies.some((rule) => rule.matchesHost(host, port) !== undefined)) return 'deny';
      if (isShut) return undefined;
      const found = ofHosts.map((rule) => rule.matchesHost(host, port));
      if (found.includes('exact')) return 'exact';
      return found.includes('wild') ? 'allow' : undefined;
    },
    hasHosts: !isShut && ofHosts.length > 0,
  };
}
