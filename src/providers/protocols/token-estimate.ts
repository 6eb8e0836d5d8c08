/**
 * About how many tokens a text has, for lack of the model's own tokenizer; rather too many. A token has three to four
 * bytes of a European language, one sign of a Chinese one (three bytes), and a digit or punctuation mark may be one by
 * itself.
 */
export function estimateTokens(text: string): number {
  let marks = 0;
  for (let index = 0; index < text.length; index++) if (isMark(text.charCodeAt(index))) marks++;
  return Math.ceil((Buffer.byteLength(text) + 2 * marks) / 3);
}

/** Of ASCII, what is neither a letter nor white space. */
function isMark(code: number): boolean {
  return code > 0x20 && code < 0x7f && !((code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a));
}
