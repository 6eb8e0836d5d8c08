import { isRunByShells } from './assignment.ts';
import type { Word } from './simple-command.ts';
import { Unclear } from './unclear.ts';

const UNARY = /^-[a-uw-zA-QS-Z]$/;
const BINARY = /^(?:=|==|!=|<|>|-eq|-ne|-lt|-le|-gt|-ge|-nt|-ot|-ef)$/;
const JOINS = /^(?:-a|-o|\)|\])$/;

/**
 * bash evaluates the subscripts of names that it is given, `a[$(rm x)]`, and so runs what is in them: names have to be
 * plain. What changes how the rest of a line is read has to be known.
 * @throws Unclear if something that is not in the line could be run.
 */
export function checkBuiltin(name: string, words: readonly Word[]): void {
  const given = words.slice(1);
  switch (name) {
    case 'export':
    case 'readonly':
    case 'unset':
    case 'read':
      for (const word of given) checkName(name, word);
      return;
    case 'printf':
      if (mayBe(given[0], '-v')) throw new Unclear('printf may set a variable');
      return;
    case 'wait':
      if (given.some((word) => mayBe(word, '-'))) throw new Unclear('wait may set a variable');
      return;
    case 'jobs':
    case 'hash':
      if (given.length > 0) throw new Unclear(`${name} is given arguments`);
      return;
    case 'set':
      checkSet(given);
      return;
    case 'test':
    case '[':
      checkTest(name, given);
  }
}

function checkName(name: string, { text, isDynamic, becomes }: Word): void {
  const isKnown = !isDynamic || (becomes === 'one' && /^[A-Za-z_]\w*=/.test(text));
  if (!isKnown) throw new Unclear(`what ${name} is given is known only when it runs`);
  const [variable = ''] = text.split('=', 1);
  if (!/^[A-Za-z_]\w*$|^-[a-z]+$/.test(variable))
    throw new Unclear(`${name} is given ${JSON.stringify(variable)}, which is no plain name`);
  if (isRunByShells({ text, isDynamic })) throw new Unclear(`${variable} makes shells run what it says`);
}

/** Could the word be an option that begins so? */
function mayBe(word: Word | undefined, option: string): boolean {
  if (word === undefined) return false;
  return word.text.startsWith(option) || (word.isDynamic && option.startsWith(word.text));
}

function checkSet(given: readonly Word[]): void {
  for (let at = 0; at < given.length; at += 1) {
    const word = given[at];
    if (word === undefined || word.isDynamic || !/^[-+][efux]*o?$/.test(word.text))
      throw new Unclear('set changes more than how errors are met');
    if (!word.text.endsWith('o')) continue;
    at += 1;
    const option = given[at];
    if (option === undefined || option.isDynamic || !/^(?:pipefail|errexit|nounset|noglob|xtrace)$/.test(option.text))
      throw new Unclear('set changes more than how errors are met');
  }
}

/** `test -v 'a[$(rm x)]'`, where neither need stand in the line as it is. */
function checkTest(name: string, given: readonly Word[]): void {
  for (const [at, word] of given.entries()) {
    const { text, isDynamic, becomes } = word;
    if (!isDynamic) {
      if (/^-[vR]$/.test(text)) throw new Unclear(`${name} is given ${text}, which evaluates names`);
      continue;
    }
    if (becomes !== 'one') throw new Unclear(`how many words ${name} is given is known only when it runs`);
    const before = given[at - 1];
    const after = given[at + 1];
    const isOperand =
      before !== undefined &&
      !before.isDynamic &&
      (UNARY.test(before.text) || BINARY.test(before.text)) &&
      !/^-[ao]$/.test(before.text);
    const isFollowed = after === undefined || (!after.isDynamic && (BINARY.test(after.text) || JOINS.test(after.text)));
    if (!isOperand && !isFollowed) throw new Unclear(`what ${name} tests is known only when it runs`);
  }
}
