import { asNumber, asString, type JsonObject } from '../../core/json.ts';

/** An item of the answer as far as it has come. */
export interface Item {
  type: string;
  callId: string;
  name: string;
  /** Of a call's arguments. */
  pieces: string[];
  /** Some of its text has been given. */
  isBegun: boolean;
  isDone: boolean;
}

/** The items of one streamed answer. */
export class Items {
  readonly all: Item[] = [];
  /** By place or id, as the events name them; a later item takes the place of an earlier one. */
  readonly #byPlace = new Map<number | string, Item>();

  /** There are some, and every one has been finished. */
  get areDone(): boolean {
    return this.all.length > 0 && this.all.every((item) => item.isDone);
  }

  /** A new item, with what an event gives of it. */
  begin(event: JsonObject, given: JsonObject): Item {
    const item: Item = {
      type: asString(given.type),
      callId: asString(given.call_id) || asString(given.id),
      name: asString(given.name),
      pieces: [],
      isBegun: false,
      isDone: false,
    };
    this.all.push(item);
    this.#byPlace.set(placeOf(event), item);
    return item;
  }

  /** The item that an event belongs to. Gateways may leave out its announcement. */
  of(event: JsonObject, type: string): Item {
    const item = this.#byPlace.get(placeOf(event));
    return item && !item.isDone && item.type === type ? item : this.begin(event, { type });
  }
}

/** Where in the answer an event belongs: some gateways give every event of an item another id, but not place. */
function placeOf(event: JsonObject): number | string {
  return asNumber(event.output_index) ?? asString(event.item_id);
}

/** Takes the streamed item out of the list that is this one: a call by its id, others by their order. */
export function takeMatching(streamed: Item[], final: JsonObject): Item | undefined {
  const callId = asString(final.call_id) || asString(final.id);
  const index = streamed.findIndex(
    (item) => item.type === final.type && (item.type !== 'function_call' || item.callId === callId),
  );
  return index === -1 ? undefined : streamed.splice(index, 1)[0];
}
