import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError, issuePaths } from '../contract/helpers.ts';
import { begin, type Talk } from '../turns/rig.ts';
import { RunRig, startAgent } from './rig.ts';

// What is wrong with a request for a run is said at once, all of it, and nothing is kept.

let rig: RunRig;
let talk: Talk;
beforeAll(async () => {
  rig = await RunRig.start(undefined);
  talk = await begin(rig.server, 'demo');
});
afterAll(() => rig.stop());

const ask = (body: object, path = talk.path) => rig.server.call(`${path}/messages/agentic`, body);

async function expectNothing(): Promise<void> {
  expect(await talk.messages()).toEqual([]);
  expect((await rig.server.call(`/api/chat/runs?conversationId=${talk.id}`)).body.runs).toEqual([]);
}

describe('an agent’s run', () => {
  it.each<[string, object, string[]]>([
    ['no steps, too small a budget', { maxSteps: 0, maxBudget: 10 }, ['maxBudget', 'maxSteps']],
    ['too many steps', { maxSteps: 201 }, ['maxSteps']],
    ['half a step', { maxSteps: 1.5, maxBudget: 1000.5 }, ['maxBudget', 'maxSteps']],
    ['texts for numbers', { maxSteps: '5', maxBudget: '5000' }, ['maxBudget', 'maxSteps']],
    [
      'an odd effort, mode and behaviour',
      { effort: 'x', securityMode: 'y', onCrash: 'z' },
      ['effort', 'onCrash', 'securityMode'],
    ],
    ['a misspelt field', { maxStep: 5 }, ['maxStep']],
    ['a temperature that is too high', { temperature: 2.1 }, ['temperature']],
    ['nobody’s yes', { showThinking: 'yes' }, ['showThinking']],
    ['a provider that there is not', { provider: 'nobody' }, ['provider']],
    ['a tool that there is not', { tools: ['look', 'lok'] }, ['tools.1']],
    ['tools without a name', { tools: ['', 7] }, ['tools.0', 'tools.1']],
  ])('with %s', async (_, more, paths) => {
    expect(issuePaths(await ask({ content: 'Go', ...more })).sort()).toEqual(paths);
    await expectNothing();
  });

  it('without a message', async () => {
    expect(issuePaths(await ask({}))).toEqual(['content']);
    expect(issuePaths(await ask({ content: '' }))).toEqual(['content']);
    await expectNothing();
  });

  it('of a conversation that there is not', async () => {
    for (const id of ['conv_x', '%00'])
      expectError(await ask({ content: 'Go' }, `/api/chat/conversations/${id}`), 404, 'not_found');
  });

  it('of a model that there is not, or whose provider has no key', async () => {
    const unknown = await ask({ content: 'Go', model: 'claud-sonet' });
    expectError(unknown, 404, 'model_not_found');
    expectError(
      await ask({ content: 'Go', model: 'mistral/mistral-large' }),
      503,
      'provider_not_configured',
      /MISTRAL_API_KEY/,
    );
    expectError(await ask({ content: 'Go', provider: 'mistral' }), 503, 'provider_not_configured');
    await expectNothing();
  });

  it('takes the provider’s default model, or one of the provider’s by its name alone', async () => {
    const other = await begin(rig.server, rig.vendor.model());
    const start = async (more: object) => (await (await startAgent(other, 'Go', more)).all())[1]?.data;
    expect(await start({ provider: 'demo' })).toMatchObject({ provider: 'demo', model: 'demo' });
    const [, name] = rig.vendor.model().name.split('/');
    expect(await start({ provider: 'together', model: name })).toMatchObject({ provider: 'together', model: name });
    expect(await start({ provider: 'together', model: `together/${name}` })).toMatchObject({ model: name });
  });

  it('takes the smallest and the largest of everything', async () => {
    const watch = await startAgent(await begin(rig.server, 'demo'), 'Go', { maxSteps: 200, maxBudget: 1000 });
    expect((await watch.all())[1]?.data).toMatchObject({ maxSteps: 200, maxBudget: 1000 });
  });
});
