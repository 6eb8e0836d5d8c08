import { hashOf } from '../../core/canonical.ts';
import { compileGlob } from '../../core/glob.ts';
import type { Call } from './call.ts';
import { compileCommand } from './command-pattern.ts';
import { compileHost } from './host-pattern.ts';
import { matchesPieces } from './pieces.ts';
import type { Rule } from './rule.ts';
import type { SimpleCommand } from './shell/command-line.ts';

/** A part of a call, each of which a rule has to allow. */
export type Part =
  | { kind: 'call' }
  | { kind: 'command'; command: SimpleCommand }
  | { kind: 'path'; path: string }
  | { kind: 'host'; host: string; port: number };

/** A rule that can be held against calls. */
export interface CompiledRule {
  rule: Rule;
  isFor(tool: string): boolean;
  /** Is it about exactly these arguments? */
  isExact: boolean;
  /** Does it say anything of a path, a host, … */
  has(kind: 'command' | 'path' | 'host'): boolean;
  /** Does the path's glob match; false if it has none. */
  matchesPath(path: string): boolean;
  /** Does it name the path without a wildcard? */
  namesPath(path: string): boolean;
  /** Does the host's pattern match; undefined: no, or it has none. */
  matchesHost(host: string, port: number): 'exact' | 'wild' | undefined;
  /**
   * Is the call what it is about, so that what it says of a path or a host counts for it? Whether that is within what it
   * says is not looked at: a tool may come upon others than the call names.
   */
  speaksOf(call: Call, kind: 'path' | 'host'): boolean;
  /** As an allowing rule: is this part within what it says? */
  covers(call: Call, part: Part): boolean;
  /** As a denying rule: is there anything in the call that it is about? `unknown`: the command line cannot be read. */
  concerns(call: Call): boolean | 'unknown';
}

/** Makes it ready, so that a call is decided on in microseconds. @throws Error that says which part is wrong, and how. */
export function compileRule(rule: Rule): CompiledRule {
  const { match } = rule;
  const isFor = compileToolName(rule.tool);
  const command = match.command === undefined ? undefined : compileCommand(match.command);
  const path = match.path === undefined ? undefined : compilePath(match.path, rule.action);
  const host = match.host === undefined ? undefined : compileHost(match.host);
  const identity = match.arguments === undefined ? undefined : hashOf(match.arguments);
  const isSame = (call: Call): boolean => identity === undefined || identity === call.identity;
  const matchesPath = (given: string): boolean => path?.(given) ?? false;
  const matchesHost = (name: string, port: number): 'exact' | 'wild' | undefined =>
    host?.matches(name, port) ? (host.isExact ? 'exact' : 'wild') : undefined;
  const kinds = { command, path, host };
  const fitsPaths = (call: Call): boolean =>
    path === undefined || (call.paths.length > 0 && call.paths.every((one) => path(one.path)));
  const fitsHosts = (call: Call): boolean =>
    host === undefined || (call.hosts.length > 0 && call.hosts.every((one) => host.matches(one.host, one.port)));
  const fitsCommand = ({ command: line }: Call): boolean =>
    command === undefined ||
    (line !== undefined && line.problem === undefined && line.commands.every((one) => command.covers(one)));
  const coversPart = (part: Part): boolean => {
    switch (part.kind) {
      case 'call':
        return true;
      case 'command':
        return command === undefined || command.covers(part.command);
      case 'path':
        return path === undefined || path(part.path);
      case 'host':
        return host === undefined || host.matches(part.host, part.port);
    }
  };
  return {
    rule,
    isFor,
    isExact: identity !== undefined,
    has: (kind) => kinds[kind] !== undefined,
    matchesPath,
    namesPath: (given) => match.path === given,
    matchesHost,
    speaksOf: (call, kind) =>
      isSame(call) &&
      fitsCommand(call) &&
      // What a command opens, its line does not say.
      (call.command !== undefined || ((kind === 'path' || fitsPaths(call)) && (kind === 'host' || fitsHosts(call)))),
    covers: (call, part) =>
      isSame(call) &&
      // What it says of something that the call does not have does not fit.
      (command === undefined || part.kind === 'command') &&
      coversPart(part) &&
      fitsPaths(call) &&
      fitsHosts(call),
    concerns: (call) => {
      if (!isSame(call)) return false;
      if (path !== undefined && !call.paths.some((one) => path(one.path))) return false;
      if (host !== undefined && !call.hosts.some((one) => host.matches(one.host, one.port))) return false;
      if (command === undefined) return true;
      if (call.command === undefined) return false;
      if (call.command.commands.some((one) => command.mentions(one))) return true;
      return call.command.problem === undefined ? false : 'unknown';
    },
  };
}

/** A denied folder is denied with all that is in it, said or not. @throws Error */
function compilePath(pattern: string, action: Rule['action']): (path: string) => boolean {
  const matches = compileGlob(pattern);
  if (action === 'allow' || pattern === '.' || pattern.endsWith('**')) return matches;
  const isBelow = compileGlob(`${pattern}/**`);
  return (path) => matches(path) || isBelow(path);
}

/** A name, in which a `*` stands for anything. @throws Error */
function compileToolName(pattern: string): (name: string) => boolean {
  if (!/^[\w.*-]{1,200}$/.test(pattern))
    throw new Error(`${JSON.stringify(pattern)} is not the name of a tool, or a glob of names`);
  if (!pattern.includes('*')) return (name) => name === pattern;
  if (pattern === '*') return () => true;
  const pieces = pattern.split(/\*+/);
  return (name) => matchesPieces(name, pieces);
}
