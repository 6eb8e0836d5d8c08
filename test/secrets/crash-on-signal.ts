// Loaded before the program (`--import`): on SIGUSR2 it fails as a mistake of ours would, with the texts of the file
// CRASH_TEXTS names (a JSON array) in its message, its causes and its fields.
import { readFileSync } from 'node:fs';

process.on('SIGUSR2', () => {
  const texts = JSON.parse(readFileSync(process.env.CRASH_TEXTS ?? '', 'utf8')) as string[];
  const cause = new Error(texts.join(' and '));
  throw Object.assign(new Error(`broken: ${texts.join('\n')}`, { cause }), { texts, request: { headers: { texts } } });
});
