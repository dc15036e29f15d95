import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebhookQueue } from '../../src/billing/webhooks/webhook-queue.js';
import { TENANT_ID } from '../../src/input.js';
import { forgetKeys } from '../../src/tenants/forget-keys.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { isActive, type OnboardingBench, onboardingBench, signupOf } from '../support/onboarding.js';

let engine: Embedded;
let bench: OnboardingBench;
beforeAll(async () => {
  engine = await openEmbedded();
  bench = await onboardingBench(engine);
});
afterAll(async () => {
  await bench.close();
  await engine.close();
});

const allKeys = async () => (await (engine.redis as Redis).keys('*')).sort();

describe('forgetKeys()', () => {
  it('takes a tenant’s own keys, whatever part of the kit its id is the name of', async () => {
    const tenant = await bench.signUp(signupOf('Acme Corp'));
    await bench.reaches(tenant, isActive);
    await bench.ask(tenant.api_key);
    const queue = new WebhookQueue(engine.redis);
    await queue.settled().finally(() => queue.close());
    const before = await allKeys();
    const names = new Set(
      before.flatMap((key) => key.split(/[{}:]+/)).filter((name) => TENANT_ID.test(name)),
    );
    expect([...names]).toEqual(expect.arrayContaining(['lifecycle', 'api-keys', 'onboarding', 'acme-corp']));

    names.delete('acme-corp');
    for (const name of names) expect([name, await forgetKeys(engine.redis, name)]).toEqual([name, 0]);
    expect(await allKeys()).toEqual(before);
    expect(await forgetKeys(engine.redis, 'acme-corp')).toBeGreaterThan(0);
    expect((await bench.lifecycle.read('acme-corp'))?.state).toBe('active');
  });
});
