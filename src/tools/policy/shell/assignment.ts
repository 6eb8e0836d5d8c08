import type { Word } from './simple-command.ts';

/**
 * Language, time zone, colours: in values that name no file. Other encodings than UTF-8 are none of it: in some of them a
 * quote or a backslash is the second half of a character, and a shell reads its line otherwise.
 */
const HARMLESS =
  /^(?:(?:LANG|LC_[A-Z]+)=(?:(?:C|POSIX|[a-z]{2,3}_[A-Z]{2})\.(?:UTF-8|utf8)|C|POSIX|)|(?:NO_COLOR|FORCE_COLOR)=\w*|TZ=(?:[\w+-]+(?:\/[\w+-]+)*)?)$/;

/** Does `NAME=value` change nothing of what a program does but how it writes? */
export function isHarmlessAssignment({ text, isDynamic }: Word): boolean {
  return !isDynamic && HARMLESS.test(text);
}

/** Does a variable of this name make shells, or bash, run what is in it? */
export function isRunByShells({ text }: Word): boolean {
  return /^(?:PS4|ENV|BASH_ENV|BASHOPTS|SHELLOPTS|PROMPT_COMMAND|BASH_FUNC[^=]*)(?:=|$)/.test(text);
}

/** Is a word `NAME=…`, whatever the value is? */
export function isAssignment({ text }: Word): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*=/.test(text);
}
