import { type Command, Option } from 'commander';
import { addExamples } from './examples.ts';
import { CLEARABLE, type ProviderOptions } from './provider-options.ts';
import type { Terminal } from './terminal.ts';

/** `profclaw providers …` */
export function addProviders(program: Command, terminal: Terminal): void {
  const providers = program
    .command('providers')
    .alias('provider')
    .description('set up the providers of models: keys, addresses, the default');
  addExamples(
    providers,
    'profclaw providers set anthropic        # asks for the key',
    'profclaw providers default anthropic/claude-sonnet-5',
    'profclaw providers test',
  );
  const list = providers
    .command('list')
    .description('list providers, and what is set of each; asks none of them')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { listProvidersCommand } = await import('./provider-list.ts');
      await listProvidersCommand(terminal, options);
    });
  addExamples(list, 'profclaw providers list');
  addSet(providers, terminal);
  addQuestions(providers, terminal);
  const choose = providers
    .command('default [model]')
    .description('set the model of requests that name none, as <type> or <type>/<model>; without it, say which it is')
    .action(async (model: string | undefined) => {
      const { defaultCommand } = await import('./provider-commands.ts');
      await defaultCommand(terminal, model);
    });
  addExamples(choose, 'profclaw providers default openai', 'profclaw providers default groq/openai/gpt-oss-120b');
  const remove = providers
    .command('remove <type>')
    .description('forget what is stored of a provider; what the environment says stays')
    .action(async (type: string) => {
      const { removeProviderCommand } = await import('./provider-commands.ts');
      await removeProviderCommand(terminal, type);
    });
  addExamples(remove, 'profclaw providers remove openai');
}

function addSet(providers: Command, terminal: Terminal): void {
  const set = providers
    .command('set <type>')
    .description('change the settings of a provider; what is not given stays')
    .option('--key', 'ask for the key, without showing it (what it does, too, if nothing else is given)')
    .addOption(new Option('--key-stdin', 'read the key from standard input').conflicts(['key', 'keyFile']))
    .addOption(new Option('--key-file <path>', 'read the key from a file').conflicts('key'))
    .option('--base-url <url>', 'where it is')
    .option('--model <model>', 'its default model')
    .option('--name <name>', 'of a type custom:<name>: what people call it')
    .option('--wire <wire>', 'of a type custom:<name>: the protocol, such as openai-chat')
    .option('--resource-name <name>', 'azure: the resource')
    .option('--deployment <name>', 'azure: the deployment')
    .option('--api-version <version>', 'azure: the version of the API')
    .addOption(new Option('--clear <settings...>', 'forget what is stored of them').choices(Object.keys(CLEARABLE)))
    .addOption(new Option('--disable', 'switch it off').conflicts('enable'))
    .option('--enable', 'switch it on again')
    .option('--no-verify', 'keep the settings without asking the provider first')
    // A key that stands there must get an answer of its own.
    .allowExcessArguments()
    .action(async (type: string, options: ProviderOptions) => {
      if (set.args.length > 1)
        set.error(
          'error: the key is not given as an argument, which the shell would keep: use --key, --key-stdin or --key-file. ' +
            'If it was one, it may be in the shell’s history now.',
        );
      const { setProviderCommand } = await import('./provider-commands.ts');
      await setProviderCommand(terminal, type, options);
    });
  addExamples(
    set,
    'profclaw providers set openai                          # asks for the key',
    'pass show openai | profclaw providers set openai --key-stdin',
    'profclaw providers set ollama --base-url http://192.168.1.5:11434',
    'profclaw providers set custom:lab --base-url http://lab:8000/v1 --model qwen3',
  );
}

function addQuestions(providers: Command, terminal: Terminal): void {
  const test = providers
    .command('test [type]')
    .description('ask a provider, or all that are configured, with a call that costs nothing')
    .option('--json', 'as JSON')
    .action(async (type: string | undefined, options: { json?: boolean }) => {
      const { testProvidersCommand } = await import('./provider-questions.ts');
      await testProvidersCommand(terminal, type, options);
    });
  addExamples(test, 'profclaw providers test', 'profclaw providers test openai');
  const models = providers
    .command('models <type>')
    .description('list the models of a provider, as it says itself')
    .option('--json', 'as JSON')
    .action(async (type: string, options: { json?: boolean }) => {
      const { listModelsCommand } = await import('./provider-questions.ts');
      await listModelsCommand(terminal, type, options);
    });
  addExamples(models, 'profclaw providers models anthropic');
}
