import type { SimpleCommand } from './simple-command.ts';
import { Unclear } from './unclear.ts';

/** More than anybody writes; far less than the stack holds. */
const MAX_DEPTH = 40;
const MAX_COMMANDS = 1000;

/** A here-document whose body is still to come. */
export interface HereDocument {
  delimiter: string;
  /** Are substitutions in its body carried out? */
  isExpanded: boolean;
  /** `<<-`: without the tabs that its lines begin with. */
  stripsTabs: boolean;
}

/** Where the reading of a line has got to, and what it found. */
export class Scan {
  readonly line: string;
  at = 0;
  /** Here-documents that begin after the next line end. */
  documents: HereDocument[] = [];
  /** How many substitutions the place is in. */
  substitutions = 0;
  readonly commands: SimpleCommand[];
  /** Reads commands up to the `)` of a substitution, and that as well. */
  readonly readSubstitution: (scan: Scan) => void;
  #depth: number;

  constructor(line: string, readSubstitution: (scan: Scan) => void, within?: Scan) {
    this.line = line;
    this.readSubstitution = readSubstitution;
    this.commands = within?.commands ?? [];
    this.substitutions = within === undefined ? 0 : within.substitutions + 1;
    this.#depth = within === undefined ? 0 : within.#depth + 1;
  }

  /** The character here, or further on; none: ''. */
  peek(further = 0): string {
    return this.line[this.at + further] ?? '';
  }

  /** Passes what a sticky expression matches here. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.line)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  /** Is the text next? Then passes it. */
  takes(text: string): boolean {
    if (!this.line.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  /** Reads what is within something. @throws Unclear if that is nested too deeply. */
  within<T>(read: () => T): T {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new Unclear('it is nested too deeply');
    const result = read();
    this.#depth -= 1;
    return result;
  }

  /** Notes a command. @throws Unclear if there are too many. */
  add(command: SimpleCommand): void {
    if (this.commands.length >= MAX_COMMANDS) throw new Unclear('it has too many commands');
    this.commands.push(command);
  }
}
