import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from './config.ts';

const KEY = 'acme-key-0123456789';

describe('PROFCLAW_PROVIDERS', () => {
  const problems = (providers: unknown, more: Record<string, string> = {}): string[] => {
    try {
      const text = typeof providers === 'string' ? providers : JSON.stringify(providers);
      loadConfig({ PROFCLAW_HOME: '/nowhere', PROFCLAW_PROVIDERS: text, ...more });
    } catch (error) {
      if (error instanceof ConfigError) return error.problems;
      throw error;
    }
    return [];
  };

  it('takes a key from a variable, or from the file that it names', () => {
    const folder = mkdtempSync(join(tmpdir(), 'profclaw-custom-'));
    writeFileSync(join(folder, 'key'), `${KEY}\n`);
    const providers = JSON.stringify({
      'custom:acme': { baseUrl: 'http://a.example', apiKeyVariable: 'ACME_API_KEY' },
    });
    for (const given of [{ ACME_API_KEY: KEY }, { ACME_API_KEY_FILE: join(folder, 'key') }]) {
      const config = loadConfig({ PROFCLAW_HOME: folder, PROFCLAW_PROVIDERS: providers, ...given });
      expect(config.providers['custom:acme']).toEqual({ baseUrl: 'http://a.example', apiKey: KEY });
    }
    expect(problems(providers)).toEqual([
      expect.stringMatching(/custom:acme\.apiKeyVariable: neither ACME_API_KEY nor/),
    ]);
    expect(problems(providers, { ACME_API_KEY: 'a b' })).toEqual([
      expect.stringMatching(/ACME_API_KEY holds characters/),
    ]);
    rmSync(folder, { recursive: true });
  });

  it('is an object in the settings file', () => {
    const home = mkdtempSync(join(tmpdir(), 'profclaw-custom-'));
    const settings = { baseUrl: 'http://a.example', quirks: { noTools: true } };
    writeFileSync(
      join(home, 'profclaw.config.json'),
      JSON.stringify({ PROFCLAW_PROVIDERS: { 'custom:acme': settings } }),
    );
    expect(loadConfig({ PROFCLAW_HOME: home }).providers['custom:acme']).toEqual(settings);
    rmSync(home, { recursive: true });
  });

  it('has every wrong value named, and none that is secret shown', () => {
    const secret = 'very secret value';
    const found = problems({
      acme: {},
      'custom:': {},
      'custom:a': { baseUrl: 'ftp://x', apiKey: secret, headers: { 'bad name': secret }, colour: secret },
      'custom:b': { package: '@ai-sdk/nobody-has-this', baseUrl: 'http://a.example' },
      'custom:c': 'text',
      'custom:d': { baseUrl: 'http://a.example', apiKey: 'k', apiKeyVariable: 'K' },
      'custom:e': {},
    });
    for (const start of [
      'acme: must be custom:<name>',
      'custom:: must be custom:<name>',
      'custom:a.baseUrl: ',
      'custom:a.apiKey: ',
      'custom:a.headers.bad name: ',
      'custom:a.colour: there is no such setting',
      'custom:b.package: @ai-sdk/nobody-has-this is not installed: npm install',
      'custom:b.baseUrl: does not go together with package',
      'custom:c: ',
      'custom:d.apiKeyVariable: does not go together with apiKey',
      'custom:d.apiKeyVariable: neither K nor',
      'custom:e.baseUrl: is required',
    ]) {
      expect(found.filter((line) => line.startsWith(`PROFCLAW_PROVIDERS: ${start}`))).toHaveLength(1);
    }
    expect(found).toHaveLength(12);
    expect(found.join()).not.toContain(secret);
    expect(problems(`{"custom:a": {"apiKey": "${secret}"`)).toEqual([expect.stringMatching(/must be a JSON object/)]);
    expect(problems('[]')).toHaveLength(1);
  });

  it('has bounds', () => {
    const deep = `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`;
    expect(problems(`{"custom:a": {"package": "@ai-sdk/openai-compatible", "options": ${deep}}}`)).toEqual([
      expect.stringMatching(/custom:a\.options: must be nested at most 20 levels deep$/),
    ]);
    const many = Array.from({ length: 101 }, (_, n) => [`custom:p${n}`, { baseUrl: 'http://a.example' }] as const);
    expect(problems(Object.fromEntries(many.slice(1)))).toEqual([]);
    expect(problems(Object.fromEntries(many))).toEqual([expect.stringMatching(/has over 100 providers$/)]);
  });

  it.each(['constructor', 'toString', '__proto__'])('finds no key in a variable %s that is not set', (name) => {
    const found = problems({ 'custom:a': { baseUrl: 'http://a.example', apiKeyVariable: name } });
    expect(found).toEqual([expect.stringMatching(/apiKeyVariable: neither/)]);
  });
});
