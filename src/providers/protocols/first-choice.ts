import { asArray, asNumber, asObject, type JsonObject } from '../../core/json.ts';

/**
 * Picks one answer where several were given (`n`, `candidateCount`): in a stream each comes in chunks of its own, and
 * only its index tells them apart. The one that begins first is taken; an index that is left out is 0.
 */
export class FirstChoice {
  #index: number | undefined;

  /** What a chunk's `choices` say of that answer; empty if nothing. */
  in(choices: unknown): JsonObject {
    const all = asArray(choices);
    if (all.length === 0) return {};
    this.#index ??= indexOf(all[0]);
    return asObject(all.find((choice) => indexOf(choice) === this.#index));
  }
}

function indexOf(choice: unknown): number {
  return asNumber(asObject(choice).index) ?? 0;
}
