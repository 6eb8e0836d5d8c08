/**
 * Is this base64, and something? May be megabytes: no expression that has to go back is run over it, because once V8 has
 * compiled a megabyte of expressions it makes the later ones so that they keep a place for each character, and fail where
 * those are millions.
 * @see https://github.com/v8/v8/blob/main/src/regexp/regexp.cc (`TooMuchRegExpCode`)
 */
export function isBase64(text: string): boolean {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const digits = text.slice(0, text.length - padding);
  return digits !== '' && !/[^A-Za-z0-9+/]/.test(digits);
}
