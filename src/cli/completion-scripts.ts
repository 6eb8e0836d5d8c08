import { allCommands, type CommandNode, type OptionNode, type Values } from './completion-tree.ts';

/** The script for a shell, which completes `profclaw` by what the tree says, without starting it. */
export function scriptFor(shell: 'bash' | 'zsh' | 'fish', tree: CommandNode): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](tree);
}

function bashScript(tree: CommandNode): string {
  const commands = allCommands(tree);
  const words = commands.map(({ path, commands: inner, options, argument }) => {
    const flags = options.flatMap((option) => option.flags);
    const named = inner.map((one) => one.words[0]);
    const given = argument.kind === 'words' ? argument.words : [];
    return `    '${path}') flags='${flags.join(' ')}' words='${[...named, ...given].join(' ')}' files=${argument.kind === 'file' ? 1 : 0} ;;`;
  });
  return `# bash completion of profclaw
_profclaw() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} path='' flags='' words='' files=0 word
  # --name=value comes as three words.
  if [[ $cur == '=' ]]; then cur=''
  elif [[ $prev == '=' ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path $word" in
${steps(tree, (path) => `      ${path.from}) path='${path.to}' ;;`)}
    esac
  done
  COMPREPLY=()
  case "$path $prev" in
${values(commands, (path, flag) => `'${path} ${flag}'`, {
  words: (list) => `COMPREPLY=($(compgen -W '${list.join(' ')}' -- "$cur")); return`,
  file: 'compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return',
  any: 'return',
})}
  esac
  case "$path" in
${words.join('\n')}
  esac
  if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "$flags" -- "$cur"))
  elif ((files)); then compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur"))
  else COMPREPLY=($(compgen -W "$words" -- "$cur")); fi
}
complete -F _profclaw profclaw`;
}

function zshScript(tree: CommandNode): string {
  const commands = allCommands(tree);
  const described = (word: string, about: string): string => `'${word.replaceAll(':', '\\:')}:${plain(about)}'`;
  const lists = commands.map(({ path, commands: inner, options, argument }) => {
    const flags = options.flatMap((one) => one.flags.map((flag) => described(flag, one.about)));
    const named = inner.map((one) => described(one.words[0] ?? '', one.about));
    const given = argument.kind === 'words' ? argument.words.map((word) => `'${word}'`) : [];
    return `    '${path}') flags=(${flags.join(' ')}) named=(${[...named, ...given].join(' ')}) files=${argument.kind === 'file' ? 1 : 0} ;;`;
  });
  return `#compdef profclaw
_profclaw() {
  local at='' word files=0
  local -a flags named
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$at $word" in
${steps(tree, (path) => `      ${path.from}) at='${path.to}' ;;`)}
    esac
  done
  case "$at $words[CURRENT-1]" in
${values(commands, (path, flag) => `'${path} ${flag}'`, {
  words: (list) => `compadd -- ${list.join(' ')}; return`,
  file: '_files; return',
  any: 'return',
})}
  esac
  case "$at" in
${lists.join('\n')}
  esac
  if [[ $words[CURRENT] == -* ]]; then _describe option flags
  elif ((files)); then _files
  else _describe command named; fi
}
if [[ $funcstack[1] == _profclaw ]]; then _profclaw "$@"; else compdef _profclaw profclaw; fi`;
}

function fishScript(tree: CommandNode): string {
  const lines = allCommands(tree).flatMap(({ path, commands, options, argument }) => {
    const start = `complete -c profclaw -n "__profclaw_at '${path}'"`;
    const given = argument.kind === 'words' ? [`${start} -a '${argument.words.join(' ')}'`] : [];
    return [
      ...commands.map((one) => `${start} -a ${one.words[0]} -d '${plain(one.about)}'`),
      ...(argument.kind === 'file' ? [`${start} -F`] : given),
      ...options.map((option) => `${start} ${fishOption(option)} -d '${plain(option.about)}'`),
    ];
  });
  return `# fish completion of profclaw
function __profclaw_at
    set -l words (commandline -opc)
    set -e words[1]
    set -l at ''
    for word in $words
        switch "$at $word"
${steps(tree, (path) => `            case ${path.from.replaceAll('|', ' ')}\n                set at '${path.to}'`)}
        end
    end
    test "$at" = "$argv[1]"
end
complete -c profclaw -f
${lines.join('\n')}`;
}

function fishOption({ flags, values: given }: OptionNode): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`)).join(' ');
  if (!given) return names;
  if (given.kind === 'words') return `${names} -x -a '${given.words.join(' ')}'`;
  return given.kind === 'file' ? `${names} -r -F` : `${names} -x`;
}

/** From the path so far and a word to the path with it. */
function steps(tree: CommandNode, line: (step: { from: string; to: string }) => string): string {
  return allCommands(tree)
    .flatMap(({ path, commands }) =>
      commands.map((one) => line({ from: one.words.map((word) => `'${path} ${word}'`).join('|'), to: one.path })),
    )
    .join('\n');
}

/** What may follow each option that takes a value. */
function values(
  commands: readonly CommandNode[],
  pattern: (path: string, flag: string) => string,
  does: { words: (words: readonly string[]) => string; file: string; any: string },
): string {
  const action = (given: Values): string => (given.kind === 'words' ? does.words(given.words) : does[given.kind]);
  return commands
    .flatMap(({ path, options }) =>
      options.flatMap(({ flags, values: given }) =>
        given ? [`    ${flags.map((flag) => pattern(path, flag)).join('|')}) ${action(given)} ;;`] : [],
      ),
    )
    .join('\n');
}

/** Between single quotes of any shell, on one line. */
function plain(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/['\\]/g, '’');
}
