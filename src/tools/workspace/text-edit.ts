import { AppError } from '../../errors.ts';

/** What is to be replaced by what. */
export interface Edit {
  old: string;
  new: string;
  /** Wherever it occurs, or where it occurs and nowhere else? */
  replaceAll: boolean;
}

/** A text after an edit. */
export interface EditedText {
  text: string;
  /** Where in the text before the old one was, in UTF-16 units. */
  places: readonly number[];
}

const MAX_LINES_NAMED = 10;

/** @param given the file's path, for the error. @throws AppError `invalid_request` if it does not fit, and why. */
export function applyEdit(text: string, edit: Edit, given: string): EditedText {
  const { old, replaceAll } = edit;
  const name = JSON.stringify(given);
  // What overlaps is not unique either.
  const found = occurrences(text, old, replaceAll ? old.length : 1);
  if (found.length === 0)
    throw new AppError('invalid_request', `The old text does not occur in ${name}${hint(text, old)}`);
  if (found.length > 1 && !replaceAll) {
    const lines = [...new Set(lineNumbers(text, found))];
    const more = lines.length > MAX_LINES_NAMED ? ', …' : '';
    throw new AppError(
      'invalid_request',
      `The old text occurs ${found.length} times in ${name}, at line${lines.length === 1 ? '' : 's'} ` +
        `${lines.slice(0, MAX_LINES_NAMED).join(', ')}${more}: take more of what is around it, or set replaceAll`,
    );
  }
  let end = 0;
  const pieces: string[] = [];
  for (const place of found) {
    pieces.push(text.slice(end, place), edit.new);
    end = place + old.length;
  }
  return { text: pieces.join('') + text.slice(end), places: found };
}

function occurrences(text: string, old: string, step: number): number[] {
  const found: number[] = [];
  for (let at = text.indexOf(old); at !== -1; at = text.indexOf(old, at + step)) found.push(at);
  return found;
}

/** @param places ascending. */
function lineNumbers(text: string, places: readonly number[]): number[] {
  let line = 1;
  let at = 0;
  return places.map((place) => {
    for (let end = text.indexOf('\n', at); end !== -1 && end < place; end = text.indexOf('\n', at)) {
      line++;
      at = end + 1;
    }
    return line;
  });
}

function hint(text: string, old: string): string {
  if (text.includes(old.replace(/\r?\n/g, '\r\n')))
    return ': the file has CRLF line ends (\\r\\n), and so must old and new';
  if (text.includes(old.replaceAll('\r\n', '\n'))) return ': the file has LF line ends (\\n), and so must old and new';
  if (text.includes(old.trim()) && old.trim() !== '')
    return ': it does without the white space around it; all of it counts';
  return ': it must be the same to the character; read the file again';
}
