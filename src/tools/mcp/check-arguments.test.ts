import { expect, it } from 'vitest';
import { checkArguments } from './check-arguments.ts';

const SCHEMA = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    count: { type: 'integer' },
    kind: { enum: ['a', 'b', null, { c: 1 }] },
    list: {
      type: 'array',
      items: { type: 'object', required: ['x'], properties: { x: { type: ['number', 'null'] } } },
    },
    any: true,
    strange: { type: 'date' },
  },
  required: ['name', 7],
  additionalProperties: false,
};

it.for([
  [{ name: 'x' }, []],
  [{ name: 'x', count: 2, kind: { c: 1 }, list: [{ x: 1 }, { x: null }], any: [], strange: 'today' }, []],
  [{}, ['name: is required']],
  [{ name: 1 }, ['name: must be of type string']],
  [{ name: 'x', count: 1.5 }, ['count: must be of type integer']],
  [{ name: 'x', kind: 'c' }, ['kind: is none of the allowed values']],
  [{ name: 'x', kind: { c: 2 } }, ['kind: is none of the allowed values']],
  [
    { name: 'x', list: [{ x: 1 }, {}, { x: 'y' }] },
    ['list.1.x: is required', 'list.2.x: must be of type number or null'],
  ],
  [{ name: 'x', list: {} }, ['list: must be of type array']],
  [{ name: 'x', other: 1 }, ['other: there is no such argument']],
  [JSON.parse('{"name": "x", "__proto__": 1}'), ['__proto__: there is no such argument']],
] as const)('%j', ([given, problems]) => {
  expect(checkArguments(SCHEMA, given).map(({ path, message }) => `${path}: ${message}`)).toEqual(problems);
});

it('what it does not know is left to the server', () => {
  const schema = {
    type: 'object',
    properties: { a: { $ref: '#' }, b: { pattern: '^(a+)+$' }, c: { anyOf: [{ $ref: '#' }, { $ref: '#' }] } },
  };
  expect(checkArguments(schema, { a: 1, b: `${'a'.repeat(40)}!`, c: {}, d: 1 })).toEqual([]);
  expect(checkArguments({ type: 'object', properties: [], required: 'a', items: 3 }, { a: 1 })).toEqual([]);
});

it('a body of nothing but mistakes gives a bounded answer', () => {
  const schema = { type: 'object', properties: { a: { type: 'array', items: { type: 'string' } } } };
  expect(checkArguments(schema, { a: Array(10_000).fill(1) })).toHaveLength(20);
});
