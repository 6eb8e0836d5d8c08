import { z } from 'zod';
import { completeTask } from '../../src/tools/builtin/complete-task.ts';
import { defineTool, type Tool, type ToolContext, type ToolOutcome } from '../../src/tools/tool.ts';

/** A call that a tool was carried out for. */
export interface Carried {
  name: string;
  what: string;
  context: ToolContext;
}

/** A call of `hold` or `grab`, which goes on when the test says so. */
interface Held {
  carried: Carried;
  end(text?: string): void;
}

/**
 * Tools of a test, which take `{what}`: `look` (safe, reads), `change` (moderate, idempotent), `launch` (dangerous,
 * unsafe), `fail` (safe, fails), `hold` and `grab` (as `look` and `launch`, but they end when the test says so or when
 * they are aborted), and `complete_task`.
 */
export class ToolBox {
  readonly carried: Carried[] = [];
  readonly tools: readonly Tool[];
  readonly #held = new Map<string, PromiseWithResolvers<Held>>();

  constructor() {
    const done = (verb: string) => (carried: Carried) => success(`${verb} ${carried.what}`);
    this.tools = [
      this.#tool({ name: 'look', level: 'safe', effect: 'read', isForSandbox: true }, done('saw')),
      this.#tool({ name: 'change', level: 'moderate', effect: 'idempotent', isForSandbox: false }, done('changed')),
      this.#tool({ name: 'launch', level: 'dangerous', effect: 'unsafe', isForSandbox: false }, done('launched')),
      this.#tool({ name: 'fail', level: 'safe', effect: 'read', isForSandbox: true }, ({ what }) =>
        Promise.resolve({ text: `no ${what}`, isError: true }),
      ),
      this.#tool({ name: 'hold', level: 'safe', effect: 'read', isForSandbox: true }, (carried) => this.#hold(carried)),
      this.#tool({ name: 'grab', level: 'dangerous', effect: 'unsafe', isForSandbox: false }, (carried) =>
        this.#hold(carried),
      ),
      completeTask,
    ];
  }

  /** What was carried out, a line each: `look: x`. */
  lines(): string[] {
    return this.carried.map(({ name, what }) => `${name}: ${what}`);
  }

  /** The `number`-th call of `hold` or `grab` with this argument, when it has begun. */
  held(what: string, number = 1): Promise<Held> {
    return this.#place(what, number).promise;
  }

  #place(what: string, number: number): PromiseWithResolvers<Held> {
    const name = `${what} ${number}`;
    const place = this.#held.get(name) ?? Promise.withResolvers<Held>();
    this.#held.set(name, place);
    return place;
  }

  #tool(
    facts: Pick<Tool, 'name' | 'level' | 'effect' | 'isForSandbox'>,
    run: (carried: Carried) => Promise<ToolOutcome>,
  ): Tool {
    return defineTool({
      ...facts,
      description: `Of a test: ${facts.name}`,
      input: z.strictObject({ what: z.string().min(1) }),
      run: (input, context) => {
        const carried = { name: facts.name, what: input.what, context };
        this.carried.push(carried);
        return run(carried);
      },
    });
  }

  #hold(carried: Carried): Promise<ToolOutcome> {
    const { signal } = carried.context;
    return new Promise((resolve, reject) => {
      const end = (text = 'released'): void => resolve({ text, isError: false });
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      const number = this.carried.filter(({ what }) => what === carried.what).length;
      this.#place(carried.what, number).resolve({ carried, end });
    });
  }
}

function success(text: string): Promise<ToolOutcome> {
  return Promise.resolve({ text, isError: false });
}
