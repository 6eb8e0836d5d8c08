import { hashOf } from '../../core/canonical.ts';
import { asArray, isObject, type JsonObject } from '../../core/json.ts';
import type { Issue } from '../../errors.ts';

const MAX_ISSUES = 20;

/**
 * What is plainly wrong with arguments: a field that is required and not there, one that must not be there, a value of
 * another type or not among the named ones. What else a schema may say (patterns, references, combinations) can cost
 * more than it is long, and is left to the server, which checks it anyway.
 * @param schema as `readInputSchema` gives it.
 */
export function checkArguments(schema: JsonObject, given: JsonObject): Issue[] {
  const issues: Issue[] = [];
  check(schema, given, '', issues);
  return issues;
}

function check(schema: unknown, value: unknown, path: string, issues: Issue[]): void {
  if (!isObject(schema) || issues.length >= MAX_ISSUES) return;
  const complain = (message: string): void => void issues.push({ path, message });
  const types = (Array.isArray(schema.type) ? schema.type : [schema.type]).filter((type) => typeof type === 'string');
  if (types.length > 0 && !types.some((type) => isOfType(value, type))) {
    complain(`must be of type ${types.join(' or ')}`);
  } else if (Array.isArray(schema.enum) && !isAmong(value, schema.enum)) {
    complain('is none of the allowed values');
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) check(schema.items, item, below(path, index), issues);
  } else if (isObject(value)) checkFields(schema, value, path, issues);
}

function checkFields(schema: JsonObject, value: JsonObject, path: string, issues: Issue[]): void {
  const properties = isObject(schema.properties) ? schema.properties : {};
  for (const name of asArray(schema.required))
    if (typeof name === 'string' && !Object.hasOwn(value, name))
      issues.push({ path: below(path, name), message: 'is required' });
  for (const [name, inner] of Object.entries(value)) {
    if (Object.hasOwn(properties, name)) check(properties[name], inner, below(path, name), issues);
    else if (schema.additionalProperties === false && schema.patternProperties === undefined)
      issues.push({ path: below(path, name), message: 'there is no such argument' });
  }
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case 'object':
      return isObject(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    case 'null':
      return value === null;
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value === type;
    default:
      // Not a type of JSON Schema: the server's affair.
      return true;
  }
}

function isAmong(value: unknown, allowed: readonly unknown[]): boolean {
  if (!isObject(value) && !Array.isArray(value)) return allowed.includes(value);
  const hash = hashOf(value);
  return allowed.some((one) => hashOf(one) === hash);
}

function below(path: string, name: string | number): string {
  return path === '' ? String(name) : `${path}.${name}`;
}
