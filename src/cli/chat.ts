import { text } from 'node:stream/consumers';
import { type Command, Option } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import type { Config } from '../config.ts';
import { EFFORTS, type Effort } from '../providers/chat-model.ts';
import type { SecurityMode } from '../tools/tool.ts';
import { withFiles } from './chat-attachments.ts';
import { forPerson } from './chat-error.ts';
import { ChatSession, MODES } from './chat-session.ts';
import { type Connection, connect } from './connect.ts';
import { addExamples } from './examples.ts';
import { CommandError, EXIT, endWith } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

/** How long the standard input may say nothing before that is said. */
const SILENCE_MS = 2000;

interface ChatOptions {
  server?: string;
  resume?: string | true;
  model?: string;
  mode?: SecurityMode;
  effort?: Effort;
  preset?: string;
  system?: string;
  file?: string[];
  tools: boolean;
  thinking?: true;
  json?: true;
  jsonEvents?: true;
}

/** `profclaw chat …` */
export function addChat(program: Command, terminal: Terminal): void {
  const chat = program
    .command('chat')
    .description('talk to a model: at a prompt, or one message whose answer goes to the standard output')
    .argument('[message...]', 'the message; - reads it from the standard input. Without one: a prompt')
    .option('-r, --resume [id]', 'go on with a conversation, the newest one without an id')
    .option('-m, --model <model>', 'such as openai/gpt-5; absent: the default of the server')
    .addOption(
      new Option(
        '--mode <mode>',
        'what tools may do by themselves; at the prompt ask, for one message deny, which is none',
      ).choices(MODES),
    )
    .option('--no-tools', 'the same as --mode deny')
    .addOption(new Option('--effort <effort>', 'how many steps, and how hard to think').choices(EFFORTS))
    .option('--preset <id>', 'of a new conversation')
    .option('--system <prompt>', 'the system prompt of a new conversation')
    .option('-f, --file <path>', 'send a text, picture or PDF too; may be given several times', gathered)
    .option('--thinking', 'show what the model thinks')
    .addOption(new Option('--json', 'print one JSON object at the end').conflicts('jsonEvents'))
    .option('--json-events', 'print every event of the run as a line of JSON')
    .option('--server <url>', 'which server; absent: PROFCLAW_URL, else the one of the settings, else one of its own')
    .action((words: string[], options: ChatOptions) => endWith(terminal, () => chatCommand(terminal, words, options)));
  addExamples(
    chat,
    'profclaw chat                                 # at a prompt',
    'git diff | profclaw chat "Review this"        # one message, with what is piped',
    'profclaw chat --mode ask "Tidy up this folder"',
    'profclaw chat --resume                        # go on with the newest conversation',
  );
}

function gathered(one: string, others: string[] = []): string[] {
  return [...others, one];
}

async function chatCommand(terminal: Terminal, given: string[], options: ChatOptions): Promise<number> {
  if (!options.tools && options.mode !== undefined && options.mode !== 'deny')
    throw new CommandError(`--no-tools and --mode ${options.mode} contradict each other`, EXIT.wrongUse);
  const [words, resume] = resumed(given, options);
  if (resume !== undefined && (options.system !== undefined || options.preset !== undefined))
    throw new CommandError(
      '--system and --preset are of a new conversation: leave them away, or --resume',
      EXIT.wrongUse,
    );
  const isPerson = terminal.input.isTTY === true;
  const isPrompt = words.length === 0 && isPerson;
  if (isPrompt && (options.json || options.jsonEvents || terminal.output.isTTY !== true))
    throw new CommandError(
      'Give a message: profclaw chat "…"; the prompt is for a terminal, without --json',
      EXIT.wrongUse,
    );
  const readsInput = !isPerson || words.join() === '-';
  const content = isPrompt ? '' : withFiles(await message(terminal, words, readsInput), options.file ?? []);
  const config = terminal.config();
  const connection = await connect(terminal, options);
  try {
    const session = new ChatSession(connection.server, {
      mode: options.tools ? (options.mode ?? (isPrompt ? 'ask' : 'deny')) : 'deny',
      effort: options.effort,
      model: options.model,
      preset: options.preset,
      system: options.system,
    });
    if (isPrompt) return await prompt(terminal, config, session, { connection, options, resume });
    if (resume !== undefined) await session.open(resume ?? undefined, 1);
    const { chatOnce } = await import('./chat-once.ts');
    return await chatOnce(terminal, session, {
      content,
      showsThinking: options.thinking ?? false,
      json: options.json ? 'object' : options.jsonEvents ? 'events' : undefined,
      editor: config.client.editor,
      mayAsk: isPerson && !readsInput && terminal.error.isTTY === true,
    });
  } catch (error) {
    throw forPerson(error);
  } finally {
    await connection.close();
  }
}

/** An id comes only after `--resume`; any other word there belongs to the message. */
function resumed(words: string[], { resume }: ChatOptions): [string[], string | null | undefined] {
  if (resume === undefined) return [words, undefined];
  if (resume === true) return [words, null];
  return resume.startsWith('conv_') ? [words, resume] : [[resume, ...words], null];
}

async function message(terminal: Terminal, words: string[], readsInput: boolean): Promise<string> {
  const said = words.join(' ');
  const read = readsInput ? (await readInput(terminal)).trimEnd() : '';
  const whole = [said === '-' ? '' : said, read].filter((part) => part !== '').join('\n\n');
  if (whole.trim() === '')
    throw new CommandError('There is no message: give one, or write it to the standard input', 2);
  return whole;
}

/** All of the standard input. One that is open and says nothing, as under ssh, must not look as if the server hung. */
async function readInput({ input, error }: Terminal): Promise<string> {
  const remark = setTimeout(() => {
    error.write('Reading the standard input until it ends; begin with </dev/null if there is nothing in it.\n');
  }, SILENCE_MS);
  input.once('data', () => clearTimeout(remark));
  try {
    return await text(input);
  } finally {
    clearTimeout(remark);
  }
}

interface PromptContext {
  connection: Connection;
  options: ChatOptions;
  resume: string | null | undefined;
}

async function prompt(
  terminal: Terminal,
  config: Config,
  session: ChatSession,
  { connection, options, resume }: PromptContext,
): Promise<number> {
  const { InteractiveChat } = await import('./chat-interactive.ts');
  const { InputHistory } = await import('./chat-history.ts');
  const where = connection.isOwn ? 'a server of its own' : connection.server.url;
  const facts = [`profclaw ${packageJson.version}`, where, `mode ${session.settings.mode}`];
  const chat = new InteractiveChat(terminal, session, {
    showsThinking: options.thinking ?? false,
    editor: config.client.editor,
    history: new InputHistory(config.home),
    files: [...(options.file ?? [])],
    isOwnServer: connection.isOwn,
    banner: `${facts.join(' · ')}\n/help lists commands, Ctrl+D leaves.`,
    resume,
  });
  return await chat.run();
}
