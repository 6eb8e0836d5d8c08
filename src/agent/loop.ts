import type { StopReason } from '../storage/run-schema.ts';
import { decide, type TurnState } from './decide.ts';

/** What a turn does at each point of its course. Whatever throws ends the loop. */
export interface TurnWork {
  state(): TurnState | Promise<TurnState>;
  /** Asks the model, and keeps its answer. */
  ask(withTools: boolean): Promise<void>;
  /** Brings a call of the last step further: to its result, or to a person's decision. */
  call(position: number): Promise<void>;
  /** Leaves the turn to whoever answers. @returns false if that has happened meanwhile. */
  wait(): Promise<boolean>;
  /** Keeps the end. @returns false if there is something to do after all. */
  finish(reason: StopReason): Promise<boolean>;
}

/** Runs a turn, of whatever kind, from where it stands until it ends or has to wait for a person. */
export async function runLoop(work: TurnWork): Promise<void> {
  for (;;) {
    const next = decide(await work.state());
    switch (next.do) {
      case 'ask':
        await work.ask(next.withTools);
        break;
      case 'call':
        await work.call(next.position);
        break;
      case 'wait':
        if (await work.wait()) return;
        break;
      case 'finish':
        if (await work.finish(next.reason)) return;
    }
  }
}
