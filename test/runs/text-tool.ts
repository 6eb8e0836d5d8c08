import { z } from 'zod';
import { defineTool, type Tool } from '../../src/tools/tool.ts';

/** A safe tool `give {what}` that returns what a test has put there under this name, and tells of pieces on its way. */
export class TextTool {
  readonly tool: Tool;
  readonly #texts = new Map<string, { text: string; pieces: readonly string[] }>();

  constructor() {
    this.tool = defineTool({
      name: 'give',
      description: 'Of a test: gives a text',
      level: 'safe',
      effect: 'read',
      isForSandbox: true,
      input: z.strictObject({ what: z.string() }),
      run: ({ what }, { progress }) => {
        const { text, pieces } = this.#texts.get(what) ?? { text: 'nothing', pieces: [] };
        for (const piece of pieces) progress(piece);
        return Promise.resolve({ text, isError: false });
      },
    });
  }

  /** @param pieces the progress that it tells of first. */
  put(what: string, text: string, pieces: readonly string[] = []): void {
    this.#texts.set(what, { text, pieces });
  }
}

/** Text in which every place can be told from every other one: its lines are numbered. */
export function numberedLines(chars: number): string {
  let text = '';
  for (let line = 1; text.length < chars; line++) text += `line ${line} of a long text, with an 👩‍🚀 in it\n`;
  return text.slice(0, chars).toWellFormed();
}
