import { describe, expect, it, vi } from 'vitest';
import type { EventInput } from '../../src/metering/event-input.js';
import type { UsageTracker } from '../../src/metering/tracker.js';
import { inProcessQuotaGate } from '../../src/quotas/in-process-quota-gate.js';
import type { QuotaGate } from '../../src/quotas/quota-gate.js';
import { stubAnswerer } from '../../src/server/answer.js';
import { eventOf } from '../support/events.js';
import { problemOf, testApp } from '../support/test-app.js';

describe('POST /query', () => {
  it('answers, with what it used and what is left', async () => {
    const { ask, tracked } = testApp();
    const response = await ask();
    const body = (await response.json()) as { answer: string; usage: Record<string, unknown> };
    expect(response.status).toBe(200);
    expect(body.usage).toEqual({
      event_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      tokens_input: 154,
      tokens_output: tracked[0]?.tokensOutput,
      cost_usd: expect.stringMatching(/^0\.00\d{6}$/),
    });
    const tokensLeft = 100_000 - 154 - Number(tracked[0]?.tokensOutput);
    expect(tokensLeft).toBeLessThan(100_000 - 154);
    expect(response.headers.get('ratelimit-policy')).toBe(
      '"queries";q=10;w=86400, "tokens";q=100000;w=86400',
    );
    expect(response.headers.get('ratelimit')).toBe('"queries";r=9;t=43200, "tokens";r=99646;t=43200');
    expect(response.headers.get('retry-after')).toBeNull();
  });

  it('costs the same for the same question', async () => {
    const { ask } = testApp();
    const usage = async () => ((await (await ask('Why?')).json()) as { usage: object }).usage;
    const [first, second] = [await usage(), await usage()];
    expect({ ...second, event_id: '' }).toEqual({ ...first, event_id: '' });
  });

  it('tracks one event for each answered query, and none for a refused one', async () => {
    const { ask, post, tracked } = testApp();
    for (let request = 1; request <= 12; request += 1) await ask();
    await post('{}');
    expect(tracked).toHaveLength(10);
    expect(tracked[0]).toMatchObject({ tenantId: 'acme-corp', endpoint: '/query', model: 'gpt-4o' });
  });

  it('gives back the tokens that an answer did not take', async () => {
    const gate = inProcessQuotaGate();
    const { ask, tracked } = testApp({ gate });
    await ask();
    const { windows } = await gate.reserve({
      tenantId: 'acme-corp',
      amounts: { queries: 0, tokens: 0 },
      limits: { queries: 1, tokens: 1 },
      now: new Date('2025-11-15T12:00:00Z'),
    });
    expect(windows.map(({ used }) => used)).toEqual([1, 154 + Number(tracked[0]?.tokensOutput)]);
  });

  it('refuses by tokens where they are used up, and says so', async () => {
    const { ask } = testApp({ limitsOf: () => ({ queries: 10, tokens: 353 }) });
    expect(await problemOf(await ask())).toEqual([429, "The day's quota of tokens is used up"]);
  });

  it('answers where an answer took more tokens than it said it would', async () => {
    const answerer = { ...stubAnswerer, mostTokens: () => 1 };
    const { ask, tracked } = testApp({ answerer });
    expect([(await ask()).status, tracked.length]).toEqual([200, 1]);
  });

  it('answers where the refund fails: what was billed is also given', async () => {
    const gate: QuotaGate = {
      ...inProcessQuotaGate(),
      refund: () => Promise.reject(new Error('Redis is gone')),
    };
    const { ask, tracked } = testApp({ gate });
    expect([(await ask()).status, tracked.length]).toEqual([200, 1]);
  });

  it.each([
    ['without a key', ''],
    ['with a wrong key', 'Bearer mb_wrong'],
    ['with Basic', `Basic ${btoa('acme-corp:secret')}`],
    ['with an empty key', 'Bearer '],
    ['with two keys', 'Bearer a b'],
  ])('refuses a request %s', async (_, authorization) => {
    const { post, tracked } = testApp();
    const response = await post('{"question":"x"}', { authorization });
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(await problemOf(response)).toEqual([401, 'Send a key of a tenant: Authorization: Bearer <key>']);
    expect(tracked).toEqual([]);
  });

  it.each([
    ['{', 'body must be JSON'],
    ['', 'body must be JSON'],
    ['null', 'it must be an object, current value is null'],
    ['[]', 'it must be an object, current value is []'],
    ['{}', 'question must be text, current value is undefined'],
    ['{"question":7}', 'question must be text, current value is 7'],
    ['{"question":"half \\ud83d"}', 'question must be well-formed Unicode, current value is "half \\ud83d"'],
    ['{"question":""}', 'question must not be empty, current value is ""'],
    ['{"question":" \\n "}', 'question must not be empty, current value is ""'],
    ['{"question":"x","tenantId":"beta-inc"}', 'tenantId is not a known field'],
    ['{"question":"x","__proto__":{"a":1}}', '__proto__ is not a known field'],
  ])('refuses the body %s', async (body, problem) => {
    const { post, tracked } = testApp();
    expect(await problemOf(await post(body))).toEqual([400, `Cannot accept query: ${problem}`]);
    expect(tracked).toEqual([]);
  });

  it('takes 8,000 characters and refuses one more', async () => {
    const { ask } = testApp();
    expect((await ask('x'.repeat(8_000))).status).toBe(200);
    const [status, detail] = await problemOf(await ask('x'.repeat(8_001)));
    expect([status, detail.slice(0, 72)]).toEqual([
      400,
      'Cannot accept query: question must be at most 8,000 characters, current ',
    ]);
  });

  it('refuses a body above 64 KiB', async () => {
    const { post } = testApp();
    expect(await problemOf(await post(`"${'x'.repeat(65_536)}"`))).toEqual([
      413,
      'The body must be at most 65536 bytes',
    ]);
  });

  it.each(['text/plain', 'application/jsonp', 'application/x-www-form-urlencoded', ''])(
    'refuses the type %j',
    async (type) => {
      const { post } = testApp();
      expect(await problemOf(await post('{"question":"x"}', { 'content-type': type }))).toEqual([
        415,
        'Send the query as application/json',
      ]);
    },
  );

  it('takes a type with a charset', async () => {
    const { post } = testApp();
    expect(
      (await post('{"question":"x"}', { 'content-type': 'Application/JSON; charset=utf-8' })).status,
    ).toBe(200);
  });

  it('counts nothing for a request that it cannot read', async () => {
    const { ask, post } = testApp();
    for (let request = 1; request <= 20; request += 1) await post('{');
    expect((await ask()).status).toBe(200);
  });

  it('tells nobody what went wrong inside', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const answerer = { ...stubAnswerer, answer: () => Promise.reject(new Error('the password is hunter2')) };
    const { ask, tracked } = testApp({ answerer });
    expect(await problemOf(await ask())).toEqual([500, 'The request failed for a reason of ours']);
    expect(log).toHaveBeenCalledOnce();
    expect(tracked).toMatchObject([{ tenantId: 'acme-corp', queries: 0 }]);
    log.mockRestore();
  });
});

describe('POST /query and the disk', () => {
  const trackerWith = (some: Partial<Pick<UsageTracker, 'durable' | 'isFull'>>) => ({
    track: (input: EventInput) => eventOf(input),
    stats: () => ({ buffered: 0, fallbackBytes: 0 }),
    ...some,
  });

  it('answers when the event survives a kill, and not before', async () => {
    let confirm: () => void = () => undefined;
    let asked = false;
    const durable = () =>
      new Promise<void>((resolve) => {
        asked = true;
        confirm = resolve;
      });
    let answered = false;
    const answer = testApp({ tracker: trackerWith({ durable }) })
      .ask()
      .then((response) => {
        answered = true;
        return response.status;
      });
    while (!asked) await new Promise(setImmediate);
    for (let turn = 1; turn <= 5; turn += 1) await new Promise(setImmediate);
    expect(answered).toBe(false);
    confirm();
    expect(await answer).toBe(200);
  });

  it('gives the answer that was paid for also where nothing takes its event', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const durable = () => Promise.reject(new Error('no space left'));
    expect((await testApp({ tracker: trackerWith({ durable }) }).ask()).status).toBe(200);
    expect(log).toHaveBeenCalledOnce();
    log.mockRestore();
  });

  it('begins nothing that cannot be recorded', async () => {
    const { ask } = testApp({ tracker: trackerWith({ isFull: true }) });
    expect(await problemOf(await ask())).toEqual([503, 'Usage cannot be recorded right now']);
  });
});

describe('routes that are not there', () => {
  it.each(['/nowhere', '/', '/query/more'])('answer 404: %s', async (path) => {
    expect(await problemOf(await testApp().get(path))).toEqual([404, `There is no route GET ${path}`]);
  });
});
