import { expect, it } from 'vitest';
import { editInProgram } from './edit-in-program.ts';

it('lets everything else in this process go on meanwhile, such as a server', async () => {
  let turns = 0;
  const turning = setInterval(() => turns++, 5);
  const text = await editInProgram('sleep 0.3; sed -i s/a/b/', 'a.json', '{"a":1}\n');
  clearInterval(turning);
  expect(text).toBe('{"b":1}\n');
  expect(turns).toBeGreaterThan(3);
});

it('gives nothing if the program fails or is not there', async () => {
  expect(await editInProgram('false', 'a.json', '{}')).toBeUndefined();
  expect(await editInProgram('no-such-editor 2>/dev/null', 'a.json', '{}')).toBeUndefined();
});
