/** What acts on a terminal or is not seen; JSON may hold all of it but the first as it is. */
const UNSEEN = /[\u007f-\u009f\u2028\u2029\ufff9-\ufffb]|\p{Default_Ignorable_Code_Point}/gu;

/**
 * JSON in which everything that a terminal would act on is written as \u…; it reads back the same.
 * @param indent spaces for each level; absent: all on one line.
 */
export function plainJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(UNSEEN, (char) =>
    Array.from({ length: char.length }, (_, at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`).join(''),
  );
}
