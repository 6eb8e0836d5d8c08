const ITEM = /^(?:msg|rs|fc|fco|ctc)_([0-9a-z]{24})(?:_(\d{1,4}))?$/;

/** What an item is: something that was said, reasoning, a call of a function, its output, or a call with a text. */
export type ItemKind = 'msg' | 'rs' | 'fc' | 'fco' | 'ctc';

/** The id of an item. @param of the id of its response, or of its message, whatever the prefix. */
export function itemId(kind: ItemKind, of: string, index: number): string {
  return `${kind}_${of.slice(of.indexOf('_') + 1)}_${index}`;
}

/** The response or message that an item is of, as an id without its prefix; undefined if the id is none of ours. */
export function nameOfItem(id: string): string | undefined {
  return ITEM.exec(id)?.[1];
}
