import { Argument, type Command } from 'commander';
import { type Terminal, writeLine } from './terminal.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

const HOW = `
The script knows all commands and options; nothing is started when you press Tab.

  bash:  echo 'source <(profclaw completion bash)' >> ~/.bashrc
  zsh:   profclaw completion zsh > ~/.zfunc/_profclaw   (a folder of $fpath, before compinit)
  fish:  profclaw completion fish > ~/.config/fish/completions/profclaw.fish`;

/** `profclaw completion …`: a script by which a shell completes what is typed after `profclaw`. */
export function addCompletion(program: Command, terminal: Terminal): void {
  program
    .command('completion')
    .description('print a script with which your shell completes commands, options and their values')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .addHelpText('after', HOW)
    .action(async (shell: Shell) => {
      const { treeOf } = await import('./completion-tree.ts');
      const { scriptFor } = await import('./completion-scripts.ts');
      writeLine(terminal, scriptFor(shell, treeOf(program)));
    });
}
