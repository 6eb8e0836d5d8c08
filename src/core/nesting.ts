/**
 * Are objects and arrays inside one another at most `levels` deep? Parsing takes any depth, but what writes JSON
 * recurses, and runs out of stack at some thousands.
 */
export function isNestedAtMost(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isNestedAtMost(inner, levels - 1));
}
