import type { Argument, Command, Option } from 'commander';

/** A command as a shell needs to know it. */
export interface CommandNode {
  /** Its words after the program's name, with spaces; '' for the program itself. */
  path: string;
  /** The word by which it is called, and its other ones. */
  words: string[];
  about: string;
  commands: CommandNode[];
  options: OptionNode[];
  /** What may stand for its first argument. */
  argument: Values;
}

/** An option. */
export interface OptionNode {
  /** Such as `-f` and `--file`. */
  flags: string[];
  about: string;
  /** Undefined if it takes none. */
  values: Values | undefined;
}

/** What a value may be: one of some words, a file, or anything. */
export type Values = { kind: 'words'; words: readonly string[] } | { kind: 'file' } | { kind: 'any' };

const FILES = /\b(file|path|folder|directory)\b/i;

/** Everything that can be typed after the program's name, as its help shows it. */
export function treeOf(command: Command, parent?: string): CommandNode {
  const path = parent === undefined ? '' : `${parent} ${command.name()}`.trim();
  const help = command.createHelp();
  const [argument] = command.registeredArguments;
  return {
    path,
    words: [command.name(), ...command.aliases()],
    about: command.description(),
    commands: help.visibleCommands(command).map((one) => treeOf(one, path)),
    options: help.visibleOptions(command).map(optionNode),
    argument: argument ? valuesOf(argument.name(), argument) : { kind: 'any' },
  };
}

/** All commands of a tree, the outermost first. */
export function allCommands(node: CommandNode): CommandNode[] {
  return [node, ...node.commands.flatMap(allCommands)];
}

function optionNode(option: Option): OptionNode {
  const flags = [option.short, option.long].filter((flag) => typeof flag === 'string');
  const takesValue = option.required || option.optional;
  return { flags, about: option.description, values: takesValue ? valuesOf(option.flags, option) : undefined };
}

function valuesOf(name: string, { argChoices }: Pick<Argument | Option, 'argChoices'>): Values {
  if (argChoices && argChoices.length > 0) return { kind: 'words', words: argChoices };
  return { kind: FILES.test(name) ? 'file' : 'any' };
}
