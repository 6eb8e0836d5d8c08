import { nearest } from '../core/nearest.ts';
import { EFFORTS } from '../providers/chat-model.ts';
import { withFiles } from './chat-attachments.ts';
import { costText } from './chat-print.ts';
import { type ChatSession, MODES } from './chat-session.ts';
import { onOneLine, wrapped } from './style.ts';

/** What a command at the prompt works with. */
export interface CommandContext {
  session: ChatSession;
  /** Says something to the person. */
  say: (text: string) => void;
  /** Opens a conversation and shows its last turns. */
  resume: (id: string | undefined) => Promise<void>;
  showsThinking: boolean;
  /** How wide the screen is now. */
  columns: () => number;
  /** Files of the next message. */
  files: string[];
}

interface PromptCommand {
  /** How it is called, for the help. */
  usage: string;
  about: string;
  /** The words that it takes. */
  choices?: readonly string[];
  /** @returns 'quit' to leave. */
  run: (context: CommandContext, given: string) => Promise<unknown> | unknown;
}

const COMMANDS: Readonly<Record<string, PromptCommand>> = {
  help: {
    usage: '/help',
    about: 'this list',
    run: ({ say, columns }) => say(help(columns())),
  },
  model: {
    usage: '/model [name]',
    about: 'which model answers; with a name, from now on that one',
    run: async ({ session, say }, name) => {
      if (name !== '') {
        await session.change({ model: name });
        session.settings = { ...session.settings, model: name };
      }
      say(`Model: ${onOneLine(session.settings.model ?? session.conversation?.model ?? 'the default of the server')}`);
    },
  },
  mode: {
    usage: '/mode [mode]',
    about: `what tools may do: ${MODES.join(', ')}`,
    choices: MODES,
    run: ({ session, say }, given) => {
      const mode = MODES.find((one) => one === given);
      if (given !== '' && !mode) return say(`There is no mode ${onOneLine(given)}; there are ${MODES.join(', ')}.`);
      if (mode) session.settings = { ...session.settings, mode };
      say(`Mode: ${session.settings.mode}: ${MODE_MEANINGS[session.settings.mode]}`);
    },
  },
  effort: {
    usage: '/effort [effort]',
    about: `how many steps, how hard to think: ${EFFORTS.join(', ')}`,
    choices: EFFORTS,
    run: ({ session, say }, given) => {
      const effort = EFFORTS.find((one) => one === given);
      if (given !== '' && !effort)
        return say(`There is no effort ${onOneLine(given)}; there are ${EFFORTS.join(', ')}.`);
      if (effort) session.settings = { ...session.settings, effort };
      say(`Effort: ${session.settings.effort ?? 'medium'}`);
    },
  },
  thinking: {
    usage: '/thinking',
    about: 'show, or no longer show, what the model thinks',
    run: (context) => {
      context.showsThinking = !context.showsThinking;
      context.say(context.showsThinking ? 'Thinking is shown.' : 'Thinking is not shown.');
    },
  },
  file: {
    usage: '/file <path>',
    about: 'send a file with the next message',
    run: ({ files, say }, path) => {
      // Said now, not when the message is sent.
      if (path !== '') withFiles('', [path]);
      if (path !== '') files.push(path);
      say(files.length === 0 ? 'No files.' : `With the next message: ${files.map(onOneLine).join(', ')}`);
    },
  },
  new: {
    usage: '/new',
    about: 'begin another conversation',
    run: ({ session, say }) => {
      session.conversation = undefined;
      say('The next message begins a new conversation.');
    },
  },
  resume: {
    usage: '/resume [id]',
    about: 'go on with another conversation; without an id, list the newest',
    run: async ({ session, say, resume }, id) => {
      if (id !== '') return await resume(id);
      const recent = await session.recent(10);
      say(recent.map(({ id: one, title }) => `${one}  ${onOneLine(title) || '(no title)'}`).join('\n') || 'None yet.');
    },
  },
  fork: {
    usage: '/fork',
    about: 'go on in a copy; the conversation so far stays as it is',
    run: async ({ session, say }) => {
      const copy = await session.fork();
      say(copy ? `This goes on in ${copy.id}.` : 'There is no conversation yet.');
    },
  },
  title: {
    usage: '/title [text]',
    about: 'what the conversation is called; with a text, from now on that',
    run: async ({ session, say }, title) => {
      if (title !== '') await session.change({ title });
      else await session.refresh();
      say(session.conversation ? `Title: ${onOneLine(session.conversation.title)}` : 'There is no conversation yet.');
    },
  },
  usage: {
    usage: '/usage',
    about: 'tokens and cost of the conversation',
    run: async ({ session, say }) => {
      const { usage } = (await session.refresh()) ?? {};
      if (!usage) return say('There is no conversation yet.');
      const cost = usage.cost === null ? 'of unknown cost' : costText(usage.cost);
      const without = usage.unpricedAnswers === 1 ? 'one answer' : `${usage.unpricedAnswers} answers`;
      const unpriced = usage.cost !== null && usage.unpricedAnswers > 0 ? ` (without ${without} of unknown price)` : '';
      const count = (tokens: number): string => tokens.toLocaleString('en');
      say(`${count(usage.promptTokens)} tokens in, ${count(usage.completionTokens)} out · ${cost}${unpriced}`);
    },
  },
  quit: {
    usage: '/quit',
    about: 'leave (Ctrl+D, too)',
    run: () => 'quit',
  },
};

const MODE_MEANINGS = {
  deny: 'no tools',
  sandbox: 'tools that change nothing',
  allowlist: 'what a rule allows; all else is refused',
  ask: 'what could do harm is asked about',
  full: 'everything without asking, but for secrets',
} as const;

const KEYS = [
  'A backslash at the end of a line, or Alt+Enter, begins another one.',
  '↑ and ↓ go through what you typed before, Tab completes commands.',
  'What you type while the model works it reads before its next step.',
  'Ctrl+C stops it. All else that begins with a slash is sent as it is.',
];
const USAGE_WIDTH = 18;

function help(columns: number): string {
  const gap = '\n'.padEnd(USAGE_WIDTH + 1);
  const commands = Object.values(COMMANDS).map(({ usage, about }) => {
    const lines = wrapped(about, columns - USAGE_WIDTH - 1).split('\n');
    return usage.padEnd(USAGE_WIDTH) + lines.join(gap);
  });
  return [...commands, '', ...KEYS.map((line) => wrapped(line, columns - 1))].join('\n');
}

/**
 * Does what a line orders, if it is an order.
 * @returns `quit`; `done`; or `message` for a line that is to be sent.
 */
export async function obey(context: CommandContext, line: string): Promise<'quit' | 'done' | 'message'> {
  const [, name, rest = ''] = /^\/([a-z]+)(?:\s+(.*))?$/s.exec(line) ?? [];
  if (name === undefined) return 'message';
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command) return (await command.run(context, rest.trim())) === 'quit' ? 'quit' : 'done';
  const [meant] = nearest(name, Object.keys(COMMANDS), 1);
  if (rest !== '' || meant === undefined || name.length < 3 || Math.abs(meant.length - name.length) > 2)
    return 'message';
  context.say(`There is no /${name}; did you mean /${meant}? /help lists all. Begin with a space to send it as it is.`);
  return 'done';
}

/** Is it one of the commands, rather than something to be sent? */
export function isOrder(line: string): boolean {
  const [, name = ''] = /^\/([a-z]+)(?:\s|$)/.exec(line) ?? [];
  return Object.hasOwn(COMMANDS, name);
}

/** How a line could go on: commands, and the words that they take. */
export function completions(line: string): string[] {
  const [, name = '', gap, word = ''] = /^\/([a-z]*)(?:(\s+)(\S*))?$/.exec(line) ?? [];
  if (!line.startsWith('/')) return [];
  if (gap === undefined) return matching(Object.keys(COMMANDS), name).map((one) => `/${one} `);
  const { choices = [] } = (Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined) ?? {};
  return matching(choices, word).map((one) => `/${name}${gap}${one}`);
}

function matching(words: readonly string[], beginning: string): string[] {
  return words.filter((word) => word.startsWith(beginning));
}
