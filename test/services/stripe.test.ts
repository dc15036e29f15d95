import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { sdkOf } from '../../src/billing/sdk.js';
import { readConfig } from '../../src/config.js';
import { createLocalStripe } from '../../src/local-stripe/create-local-stripe.js';
import { listen } from '../../src/server/listen.js';
import { openStripe } from '../../src/services/stripe.js';

let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'stripe-'));
});
afterEach(() => rmSync(path, { recursive: true }));

const open = async (environment: Record<string, string> = {}, folder = path) => {
  const { service, close } = await openStripe(readConfig(environment), { path: folder, name: 'lesson' });
  if (service.mode === 'off') throw new Error(service.skip);
  return { ...service, stripe: sdkOf(service.client), close };
};
const skipOf = async (environment: Record<string, string>) => {
  const { service, close } = await openStripe(readConfig(environment), { path, name: 'lesson' });
  await close();
  return service.mode === 'off' ? service.skip : service.mode;
};
const key = { STRIPE_API_KEY: 'sk_test_local' };

describe('openStripe(), nothing configured', () => {
  it('is a local Stripe whose state lies in the workspace', async () => {
    const before = await open();
    expect(before).toMatchObject({ mode: 'embedded', address: join(path, 'stripe.jsonl') });
    const { id } = await before.stripe.customers.create({ name: 'Ada' });
    await before.close();
    const after = await open();
    expect((await after.stripe.customers.retrieve(id)).id).toBe(id);
    await after.close();
  });

  it('has the same ids in every empty workspace, and never one twice', async () => {
    const ids: string[][] = [];
    for (const folder of ['a', 'b']) {
      mkdirSync(join(path, folder));
      const made: string[] = [];
      for (let time = 0; time < 2; time += 1) {
        const { stripe, close } = await open({}, join(path, folder));
        made.push((await stripe.customers.create({ name: 'Ada' })).id);
        await close();
      }
      ids.push(made);
    }
    expect(ids[0]).toEqual(ids[1]);
    expect(new Set(ids[0]).size).toBe(2);
  });

  it('is off where its file is no local Stripe’s, and says so', async () => {
    writeFileSync(join(path, 'stripe.jsonl'), 'something else\n');
    expect(await skipOf({})).toMatch(/^the local Stripe cannot start: .*stripe\.jsonl/);
  });
});

describe('openStripe(), a key', () => {
  const serving = async () => {
    const local = createLocalStripe();
    const server = await listen(local, {});
    onTestFinished(() => server.close());
    return server.url;
  };

  it('with an address speaks to what answers there', async () => {
    const url = await serving();
    const { mode, address, stripe } = await open({ STRIPE_SECRET_KEY: 'sk_test_local', STRIPE_URL: url });
    expect([mode, address]).toEqual(['configured', url]);
    expect((await stripe.customers.create({ name: 'Ada' })).name).toBe('Ada');
  });

  it.each([
    [
      { STRIPE_API_KEY: 'sk_live_abc' },
      'Cannot use STRIPE_API_KEY: a live key charges real cards; need sk_test_…',
    ],
    [
      { STRIPE_SECRET_KEY: 'rk_live_abc' },
      'Cannot use STRIPE_SECRET_KEY: a live key charges real cards; need sk_test_…',
    ],
    [{ STRIPE_API_KEY: 'whsec_abc' }, 'Cannot use STRIPE_API_KEY: need a key of a sandbox, sk_test_…'],
    [{ STRIPE_URL: 'http://127.0.0.1:1' }, 'Cannot use STRIPE_URL: need STRIPE_API_KEY=sk_test_… beside it'],
    [{ ...key, STRIPE_URL: 'ftp://h' }, 'Cannot use STRIPE_URL: need http://host:port or https://host:port'],
    [{ ...key, STRIPE_URL: 'http://127.0.0.1:1' }, 'STRIPE_URL: the connection was refused at 127.0.0.1:1'],
    [
      { ...key, STRIPE_URL: 'http://nowhere.invalid' },
      'STRIPE_URL: there is no such host at nowhere.invalid',
    ],
  ] as const)('that cannot be used has Stripe off, in one sentence: %o', async (environment, sentence) => {
    expect(await skipOf(environment)).toBe(sentence);
  });

  it('that Stripe does not know has it off', async () => {
    const refusing = {
      fetch: () =>
        Response.json(
          { error: { type: 'invalid_request_error', message: 'Invalid API Key provided' } },
          { status: 401 },
        ),
    };
    const server = await listen(refusing, {});
    onTestFinished(() => server.close());
    expect(await skipOf({ ...key, STRIPE_URL: server.url })).toBe(
      'STRIPE_API_KEY: Stripe does not know this key',
    );
  });
});
