import type { SecurityMode } from '../tool.ts';
import type { Call, CallHost } from './call.ts';
import type { CompiledRule, Part } from './compiled-rule.ts';
import type { SimpleCommand } from './shell/simple-command.ts';

/** Characters of a command in a reason. */
const MOST_SHOWN = 200;

/** What is to happen to a call. */
export interface Decision {
  /** `ask`: a person has to say. */
  decision: 'allow' | 'ask' | 'refuse';
  /** The id of the rule that decided, or of the first of several; null: none did. */
  rule: string | null;
  /** For a person: one sentence. */
  reason: string;
}

/**
 * May a call be carried out? The one place that knows what the modes and the rules mean.
 * @param rules those of the owner and the conversation that have not expired.
 */
export function decide(call: Call, mode: SecurityMode, rules: readonly CompiledRule[]): Decision {
  const { name, level, isForSandbox } = call.tool;
  if (mode === 'deny') return refuse('No tool may be called in the mode deny.');
  const own = rules.filter((rule) => rule.isFor(name));
  const denied = denying(call, own);
  if (denied) return denied;
  if (call.problem !== undefined) return refuse(call.problem);
  const inside = call.hosts.find((one) => one.isInside && !opens(own, call, one));
  if (inside)
    return refuse(`${inside.host} is on this machine or in its own network, which only a rule that names it opens.`);
  const secret = call.paths.find((path) => path.isSecret);
  if (mode === 'sandbox') {
    if (!isForSandbox)
      return refuse(`${name} may not be called in the mode sandbox, since it could change or reach something outside.`);
    if (secret) return refuse(`${quoted(secret.path)} may hold a secret, which the mode sandbox does not show.`);
    return allow(`${name} may be called in the mode sandbox.`);
  }
  const { allowed, missing } = allowing(call, own);
  if (allowed) return allowed;
  if (mode === 'allowlist')
    return refuse(`No rule allows this call of ${name}, and the mode allowlist needs one.${why(call, missing)}`);
  if (secret?.isLinked)
    return refuse(`A link leads to ${quoted(secret.path)}, which may hold a secret: name it itself.`);
  if (secret) return ask(`${quoted(secret.path)} may hold a secret, and no rule that names it allows this call.`);
  if (mode === 'full') return allow('Every tool may be called in the mode full.');
  if (level === 'safe') return allow(`${name} is safe.`);
  return ask(`${name} is ${level}, and no rule allows this call.${why(call, missing)}`);
}

/** What a denying rule says; one that cannot be held against the line refuses it as well. */
function denying(call: Call, rules: readonly CompiledRule[]): Decision | undefined {
  let maybe: CompiledRule | undefined;
  let sure: CompiledRule | undefined;
  for (const one of rules) {
    const isConcerned = one.rule.action === 'deny' && one.concerns(call);
    if (isConcerned === true) sure ??= one;
    else if (isConcerned === 'unknown') maybe ??= one;
    if (sure) break;
  }
  if (sure) return { decision: 'refuse', rule: sure.rule.id, reason: `A rule denies this call of ${call.tool.name}.` };
  if (!maybe) return undefined;
  const reason = `A rule denies some commands, and whether this is one cannot be told: ${call.command?.problem}.`;
  return { decision: 'refuse', rule: maybe.rule.id, reason };
}

/**
 * Every part of the call has to be within what some allowing rule says; secrets by one that names them.
 * @returns the decision, or of several parts the first that no rule allows.
 */
function allowing(call: Call, rules: readonly CompiledRule[]): { allowed?: Decision; missing?: Part } {
  const allows = rules.filter(({ rule }) => rule.action === 'allow');
  const parts = partsOf(call);
  if (parts === undefined) {
    const whole = allows.find((rule) => !rule.has('command') && rule.covers(call, { kind: 'call' }));
    return whole ? { allowed: byRule(call, whole) } : {};
  }
  let first: CompiledRule | undefined;
  for (const part of parts) {
    const rule = allows.find((one) => one.covers(call, part) && isEnough(one, call, part));
    if (!rule) return parts.length > 1 ? { missing: part } : {};
    first ??= rule;
  }
  return first ? { allowed: byRule(call, first) } : {};
}

function byRule({ tool }: Call, { rule }: CompiledRule): Decision {
  return { decision: 'allow', rule: rule.id, reason: `A rule allows this call of ${tool.name}.` };
}

/** A secret has to be meant: by its name, or by a rule for exactly this call. */
function isEnough(rule: CompiledRule, call: Call, part: Part): boolean {
  if (part.kind !== 'path') return true;
  const isSecret = call.paths.some(({ path, isSecret: is }) => is && path === part.path);
  return !isSecret || rule.isExact || rule.namesPath(part.path);
}

/** What has to be allowed; undefined: that cannot be told. */
function partsOf({ command, paths, hosts }: Call): Part[] | undefined {
  if (command?.problem !== undefined) return undefined;
  const parts: Part[] = [
    ...(command?.commands ?? []).map((one) => ({ kind: 'command' as const, command: one })),
    ...paths.map(({ path }) => ({ kind: 'path' as const, path })),
    ...hosts.map((one) => ({ kind: 'host' as const, ...one })),
  ];
  return parts.length === 0 ? [{ kind: 'call' }] : parts;
}

function why({ command }: Call, missing: Part | undefined): string {
  if (command?.problem !== undefined) return ` The command line cannot be held against rules: ${command.problem}.`;
  switch (missing?.kind) {
    case 'command':
      return ` Nothing allows ${quoted(textOf(missing.command))}.`;
    case 'path':
      return ` Nothing allows the path ${quoted(missing.path)}.`;
    default:
      return '';
  }
}

/** For a person: what is known only when it runs is left open. */
function textOf({ words, startedBy = [] }: SimpleCommand): string {
  const all = [...startedBy.flatMap((starter) => starter.words.slice(0, 1)), ...words];
  const text = all.map((word) => (word.isDynamic ? `${word.text}…` : word.text)).join(' ');
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
}

/** Does a rule name the host? */
function opens(rules: readonly CompiledRule[], call: Call, { host, port }: CallHost): boolean {
  return rules.some(
    (one) => one.rule.action === 'allow' && one.matchesHost(host, port) === 'exact' && one.speaksOf(call, 'host'),
  );
}

function quoted(path: string): string {
  return JSON.stringify(path);
}

function allow(reason: string): Decision {
  return { decision: 'allow', rule: null, reason };
}

function ask(reason: string): Decision {
  return { decision: 'ask', rule: null, reason };
}

function refuse(reason: string): Decision {
  return { decision: 'refuse', rule: null, reason };
}
