import type { SecurityMode, Tool } from './tool.ts';

/** What is to happen to a call. */
export interface Decision {
  /** `ask`: a person has to say. */
  decision: 'allow' | 'ask' | 'refuse';
  /** For a person: one sentence. */
  reason: string;
}

/** A tool call that is to be decided on. */
export interface Question {
  tool: Pick<Tool, 'name' | 'level' | 'isForSandbox'>;
  mode: SecurityMode;
  /** What the stored rule says that matches the call, if there is one. */
  rule: 'allow' | 'deny' | undefined;
}

/** May a tool be called? The one table of what the modes mean. */
export function decide({ tool, mode, rule }: Question): Decision {
  const { name, level, isForSandbox } = tool;
  if (mode === 'deny') return refuse('No tool may be called in the mode deny.');
  if (rule === 'deny') return refuse(`A rule denies this call of ${name}.`);
  switch (mode) {
    case 'sandbox':
      if (isForSandbox) return allow(`${name} may be called in the mode sandbox.`);
      return refuse(`${name} may not be called in the mode sandbox, since it could change or reach something outside.`);
    case 'allowlist':
      if (rule === 'allow') return allow(`A rule allows this call of ${name}.`);
      return refuse(
        `No rule allows this call of ${name}, and the mode allowlist needs one: a person makes it by answering an approval with allow-always in the mode ask.`,
      );
    case 'ask':
      if (rule === 'allow') return allow(`A rule allows this call of ${name}.`);
      if (level === 'safe') return allow(`${name} is safe.`);
      return { decision: 'ask', reason: `${name} is ${level}, and no rule allows this call.` };
    case 'full':
      return allow('Every tool may be called in the mode full.');
  }
}

function allow(reason: string): Decision {
  return { decision: 'allow', reason };
}

function refuse(reason: string): Decision {
  return { decision: 'refuse', reason };
}
