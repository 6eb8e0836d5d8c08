import { InvalidRequestError } from '../../errors.ts';

/**
 * The name of a model, or a piece of it, as a segment of a URL's path.
 * @throws InvalidRequestError if it would lead to another path.
 */
export function pathSegment(name: string): string {
  if (name !== '.' && name !== '..') return encodeURIComponent(name);
  throw new InvalidRequestError([{ path: 'model', message: `"${name}" is no name of a model, nor a piece of one` }]);
}
