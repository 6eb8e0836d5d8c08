/** The names that a glob has without a wildcard: whoever writes them wants to see what is in there. */
export function askedFolders(pattern: string): Set<string> {
  return new Set(pattern.split(/[/{},]/).filter((part) => part !== '' && !/[*?[\]\\]/.test(part)));
}
