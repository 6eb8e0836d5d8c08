import { describe, expect, it } from 'vitest';
import { patternProblem } from './pattern.ts';

describe('a pattern of somebody else’s', () => {
  it.each([
    '^acme-think',
    '^[a-zA-Z0-9]{9}$',
    '^(o\\d|gpt-(?:[5-9]|[12]\\d))(?!.*-(chat|search))',
    '^acme(-think)?$',
    '^.*a.*$|^b.*c.*$',
    '[(a+)+]',
    '^\\(a+\\)+b',
    '[]](a)',
    '(?<name>a|b)?c{2,5}',
  ])('may be %s', (text) => expect(patternProblem(text)).toBeUndefined());

  it.each([
    ['(', /Invalid regular expression/],
    ['x'.repeat(201), /at most 200 characters/],
    ['^(a+)+$', /must not repeat a group/],
    ['^(a|a)*$', /must not repeat a group/],
    ['^(?:a{3}){3}$', /must not repeat a group/],
    ['(?=(a+)+)', /must not repeat a group/],
    ['^(a)\\1$', /must not refer back/],
    ['(?<x>a)\\k<x>', /must not refer back/],
    ['^a*a*a*$', /too many ways/],
    ['a*a*b', /too many ways.* begin with \^/],
    [`^${'(a|a)'.repeat(30)}b`, /too many ways/],
    [`^${'a?'.repeat(60)}b`, /too many ways/],
    ['^(?=.*a.*b).*c', /too many ways/],
    ['^a{0,300}a{0,300}a{0,300}b', /too many ways/],
    ['^a{1000}', /must not count beyond 500/],
  ])('must not be %s', (text, problem) => expect(patternProblem(text)).toMatch(problem));
});
