const ESC = '\u001b';
const NEWLINE = '\n';

/**
 * What is not simply there for everybody to see: control characters but newline and tab, line ends of Unicode, and
 * what is invisible by itself (Default_Ignorable_Code_Point: zero-width, bidi controls, variation selectors, tags).
 */
const SPECIAL = /(?![\n\t])\p{Cc}|[\u2028\u2029\ufff9-\ufffb]|\p{Default_Ignorable_Code_Point}/u;
const HIGH_SURROGATE = /[\ud800-\udbff]$/;
const LOW_SURROGATE = /[\udc00-\udfff]/;

/** What begins a new line somewhere: vertical tab, form feed, NEL, and the two of Unicode. */
const LINE_ENDS = '\u000b\u000c\u0085\u2028\u2029';
/** DCS, SOS, OSC, PM and APC take everything up to their end; by their second character after ESC, and alone. */
const STRING_STARTS = 'PX]^_\u0090\u0098\u009d\u009e\u009f';
const CSI = '\u009b';
/** BEL, CAN, SUB and ST end such a string; so does the end of the line, or one without an end would hide all the rest. */
const STRING_ENDS = '\u0007\u0018\u001a\u009c\n\r';

/** After which a joiner is a part of writing: emoji, and scripts whose letters join. */
const JOINING =
  /\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f|[\p{scx=Arab}\p{scx=Syrc}\p{scx=Mong}\p{scx=Nkoo}\p{scx=Deva}\p{scx=Beng}\p{scx=Guru}\p{scx=Gujr}\p{scx=Orya}\p{scx=Taml}\p{scx=Telu}\p{scx=Knda}\p{scx=Mlym}\p{scx=Sinh}\p{scx=Khmr}\p{scx=Mymr}\p{scx=Tibt}]/u;
/** After which a variation selector chooses a form. */
const VARYING = /[\p{Emoji}\p{S}\p{Script=Han}]/u;

/** Where in an escape sequence a text stands. */
type State = 'text' | 'escape' | 'intermediate' | 'csi' | 'string' | 'string-escape';

/**
 * Makes of text that comes in pieces what people can read, with nothing in it that acts on a terminal or that nobody
 * sees. Terminal escapes and control characters are taken out, every kind of line end becomes a newline, also a carriage
 * return alone (a terminal would show the later text only: here nothing hides what was before it), and invisible
 * characters are written out, `<U+202E>`. What stays: joiners and variation selectors where emoji and scripts need them,
 * and the direction marks U+200E, U+200F and U+061C, which override nothing. Takes time linear in the text.
 */
export class ReadableText {
  #state: State = 'text';
  #hasReturn = false;
  /** A high surrogate, whose other half may come with the next piece. */
  #half = '';
  /** The last character that was given out. */
  #last = '';

  /** @returns what can be read now; the same in all, however the text is cut into pieces. */
  add(piece: string): string {
    const joined = this.#half + piece;
    this.#half = HIGH_SURROGATE.exec(joined)?.[0] ?? '';
    const text = this.#half === '' ? joined : joined.slice(0, -1);
    return this.#read(text.toWellFormed());
  }

  /** The rest, when no more comes. */
  end(): string {
    const rest = this.#read(this.#half.toWellFormed()) + this.#endOfLine();
    this.#half = '';
    return rest;
  }

  #read(text: string): string {
    const clean: string[] = [];
    for (let at = 0; at < text.length; ) {
      const skipped = this.#state === 'text' ? wholeSequence(text, at) : 0;
      const plain = this.#state === 'text' && skipped === 0 ? plainUntil(text, at) : at;
      if (skipped > 0) {
        clean.push(this.#endOfLine());
        at += skipped;
      } else if (plain > at) {
        // A return and a newline are one.
        if (text.charAt(at) === NEWLINE) this.#hasReturn = false;
        clean.push(this.#endOfLine(), this.#noted(text.slice(at, plain)));
        at = plain;
      } else {
        const char = String.fromCodePoint(text.codePointAt(at) ?? 0);
        clean.push(this.#take(char));
        at += char.length;
      }
    }
    return clean.join('');
  }

  #take(char: string): string {
    if (this.#state !== 'text' && !this.#isOver(char)) return '';
    if (char === '\r') {
      this.#hasReturn = true;
      return '';
    }
    if (char === NEWLINE) {
      this.#hasReturn = false;
      return this.#noted(NEWLINE);
    }
    const before = this.#endOfLine();
    if (char === ESC) this.#state = 'escape';
    else if (char === CSI) this.#state = 'csi';
    else if (STRING_STARTS.includes(char) && char > '\u007f') this.#state = 'string';
    else return before + this.#noted(this.#shown(char));
    return before;
  }

  /** Takes a character of an escape sequence. @returns whether it is not one of it, and so is text. */
  #isOver(char: string): boolean {
    const [state, isOver] = next(this.#state, char);
    this.#state = state;
    return isOver;
  }

  #shown(char: string): string {
    if (char === '\t' || !SPECIAL.test(char)) return char;
    if (LINE_ENDS.includes(char)) return NEWLINE;
    if (char < ' ' || (char >= '\u007f' && char <= '\u009f')) return '';
    return this.#isWriting(char) ? char : codePoint(char);
  }

  /** Is an invisible character one that writing needs in its place? */
  #isWriting(char: string): boolean {
    if (char === '\u200e' || char === '\u200f' || char === '\u061c') return true;
    if (char === '\u200c' || char === '\u200d') return JOINING.test(this.#last);
    return char >= '\ufe00' && char <= '\ufe0f' && VARYING.test(this.#last);
  }

  #endOfLine(): string {
    if (!this.#hasReturn) return '';
    this.#hasReturn = false;
    return this.#noted(NEWLINE);
  }

  #noted(text: string): string {
    if (text !== '') this.#last = text.slice(LOW_SURROGATE.test(text.charAt(text.length - 1)) ? -2 : -1);
    return text;
  }
}

/** The same for a text that is there as a whole. */
export function readableText(text: string): string {
  if (!SPECIAL.test(text) && text.isWellFormed()) return text;
  const readable = new ReadableText();
  return readable.add(text) + readable.end();
}

/** A character that would not be seen, written out. */
function codePoint(char: string): string {
  return `<U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}>`;
}

/** Where the next special character is, from `from` on. */
function plainUntil(text: string, from: number): number {
  NEXT.lastIndex = from;
  return NEXT.exec(text)?.index ?? text.length;
}

/** How long a whole control sequence is that begins here, as nearly all of them are; 0: there is none. */
function wholeSequence(text: string, at: number): number {
  if (text.charAt(at) !== ESC) return 0;
  SEQUENCE.lastIndex = at;
  return SEQUENCE.exec(text)?.[0].length ?? 0;
}

const SEQUENCE = new RegExp(`${ESC}\\[[ -?]*[@-~]`, 'y');
const NEXT = new RegExp(SPECIAL, 'gu');

/**
 * The parser of ECMA-48 as terminals have it, of what matters here.
 * @returns the state after a character, and whether the character is text.
 */
function next(state: State, char: string): [State, boolean] {
  // A new one begins, whatever was before.
  if (char === ESC) return [state === 'string' ? 'string-escape' : 'escape', false];
  switch (state) {
    case 'string':
      if (!STRING_ENDS.includes(char)) return ['string', false];
      return ['text', char === NEWLINE || char === '\r'];
    case 'string-escape':
      return char === '\\' ? ['text', false] : next('escape', char);
    case 'escape':
      if (char === '[') return ['csi', false];
      if (STRING_STARTS.includes(char) && char < '\u007f') return ['string', false];
      return next('intermediate', char);
    case 'intermediate':
      if (char >= ' ' && char <= '/') return ['intermediate', false];
      return ['text', char < ' ' || char > '~'];
    case 'csi':
      if (char >= ' ' && char <= '?') return ['csi', false];
      return ['text', char < '@' || char > '~'];
    case 'text':
      return ['text', true];
  }
}
