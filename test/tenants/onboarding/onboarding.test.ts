import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { recordTenants } from '../../../src/metering/tenants.js';
import { inRounds } from '../../../src/server/in-rounds.js';
import { readLifecycleLog } from '../../../src/tenants/lifecycle-log.js';
import { readSignup } from '../../../src/tenants/onboarding/signup-request.js';
import type { Step } from '../../../src/tenants/onboarding/steps.js';
import { STEPS } from '../../../src/tenants/onboarding/steps.js';
import { TenantProfiles } from '../../../src/tenants/onboarding/tenant-profiles.js';
import { type Embedded, openEmbedded } from '../../support/embedded.js';
import { NOW } from '../../support/events.js';
import {
  failedStep,
  isActive,
  type OnboardingBench,
  type OnboardingBenchOptions,
  onboardingBench,
  type StatusAnswer,
  signupOf,
} from '../../support/onboarding.js';
import { problemOf } from '../../support/test-app.js';

let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
});
afterAll(() => engine.close());

let bench: OnboardingBench;
const open = async (options: OnboardingBenchOptions = {}) => {
  bench = await onboardingBench(engine, options);
  return bench;
};
afterEach(async () => {
  await bench.close();
  vi.restoreAllMocks();
  for (const table of ['tenant_profiles', 'api_keys', 'lifecycle_log', 'tenant_quotas', 'tenant_ledger'])
    await engine.command(`TRUNCATE TABLE ${table}`);
  await wipeRedis();
});
const wipeRedis = () => (engine.redis as unknown as { flushall(): Promise<void> }).flushall();
const silent = () => vi.spyOn(console, 'error').mockImplementation(() => undefined);
const ONCE = { customers: 1, cards: 1, subscriptions: ['trialing'] };
const eventsOf = async (tenantId: string) => {
  await bench.lifecycle.moveLog();
  return (await readLifecycleLog(engine.clickhouse, tenantId)).map(({ event }) => event);
};
/** Stripe's times are whole seconds: an end and a new beginning in one would be told apart by nothing. */
const LATER = new Date(NOW.getTime() + 60_000);
/** No wait between two tries. */
const quick = { backoffMs: 1 };

/** What is done every minute, often; until it is stopped, or the test ends. */
function resumeOften(onboarding: OnboardingBench['onboarding']): () => Promise<void> {
  const rounds = inRounds(50, () => onboarding.resume().catch(() => undefined));
  const stop = () => rounds.close();
  onTestFinished(stop);
  return stop;
}

describe('a signup', () => {
  it('is an active tenant within five seconds, with one customer, card, subscription and welcome', async () => {
    const { signUp, reaches, ask, atStripe, topics, tracked } = await open();
    const began = performance.now();
    const answer = await signUp(signupOf('Acme Corp'));
    expect(answer).toEqual({
      tenant_id: 'acme-corp',
      state: 'pending_payment',
      api_key: expect.stringMatching(/^mb_[\w-]{32}$/),
      status_url: '/api/tenants/acme-corp',
    });
    const status = await reaches(answer, isActive);
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(status).toEqual({
      tenant_id: 'acme-corp',
      plan: 'starter',
      state: 'active',
      since: '2025-11-15T12:00:00.000Z',
      trial_ends_at: '2025-11-30T00:00:00.000Z',
      steps: STEPS.map((name) => ({ name, state: 'done' })),
    });
    expect(await atStripe('acme-corp')).toEqual(ONCE);
    expect(topics('acme-corp')).toEqual(['welcome']);
    expect(await eventsOf('acme-corp')).toEqual(['sign_up', 'pay', 'complete']);
    const response = await ask(answer.api_key);
    expect([response.status, response.headers.get('ratelimit-policy')]).toEqual([
      200,
      '"queries";q=2000;w=86400, "tokens";q=2000000;w=86400',
    ]);
    expect(tracked).toHaveLength(1);
  });

  it('has the terms of the subscription, once', async () => {
    const { signUp, reaches } = await open();
    await reaches(await signUp(signupOf('Acme Corp', { plan: 'pro' })), isActive);
    await bench.queue.settled();
    expect(
      await engine.rows(`SELECT plan, state, toString(effective_from) AS since FROM tenant_quotas FINAL`),
    ).toEqual([{ plan: 'pro', state: 'active', since: '2025-11-15 12:00:00.000' }]);
  });

  it('is active within a minute where every step fails twice, before and after its work', async () => {
    const tries = new Map<Step, number>();
    const { signUp, reaches, atStripe, topics } = await open({
      trace: ({ step }, moment) => {
        const number = (tries.get(step) ?? 0) + (moment === 'begins' ? 1 : 0);
        tries.set(step, number);
        if (number === 1 && moment === 'begins') throw new Error('before');
        if (number === 2 && moment === 'ends') throw new Error('after');
      },
    });
    const began = performance.now();
    await reaches(await signUp(signupOf('Acme Corp')), isActive);
    expect(performance.now() - began).toBeLessThan(60_000);
    expect(Object.fromEntries(tries)).toEqual({
      ...Object.fromEntries(STEPS.map((step) => [step, 3])),
      // After its work there is nothing more to be done.
      active: 2,
    });
    expect(await atStripe('acme-corp')).toEqual(ONCE);
    expect(topics('acme-corp')).toEqual(['welcome']);
    expect(await eventsOf('acme-corp')).toEqual(['sign_up', 'pay', 'complete']);
  });

  it('answers no query before its tenant is active, and counts none', async () => {
    let goOn: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    // A step that is held would hold up the end of the bench too.
    onTestFinished(() => goOn());
    const { signUp, reaches, ask, tracked } = await open({
      trace: ({ step }, moment) => (step === 'key' && moment === 'begins' ? held : undefined),
    });
    const answer = await signUp(signupOf('Acme Corp'));
    const refusal = [403, 'The tenant is not active yet: GET /api/tenants/{id} says how far it is'];
    expect(await problemOf(await ask(answer.api_key))).toEqual(refusal);
    // A step that a webhook has begun a second time may be at it a little longer.
    const isHeld = ({ steps }: StatusAnswer) =>
      steps.slice(0, 6).every(({ state }) => state === 'done') && steps[6]?.state === 'running';
    const status = await reaches(answer, isHeld);
    expect([status.state, status.steps.map(({ state }) => state)]).toEqual([
      'provisioning',
      ['done', 'done', 'done', 'done', 'done', 'done', 'running', 'waiting'],
    ]);
    expect(await problemOf(await ask(answer.api_key))).toEqual(refusal);
    expect(tracked).toEqual([]);
    goOn();
    await reaches(answer, isActive);
    const response = await ask(answer.api_key);
    expect([response.status, response.headers.get('ratelimit')?.split(';', 2)]).toEqual([
      200,
      ['"queries"', 'r=1999'],
    ]);
  });
});

describe('what was promised', () => {
  it('is kept where no webhook ever comes', async () => {
    const { signUp, reaches, atStripe } = await open({ webhooks: false, webhookMs: 100 });
    await reaches(await signUp(signupOf('Acme Corp')), isActive);
    expect(await atStripe('acme-corp')).toEqual(ONCE);
  });

  it('is kept where Redis is wiped at any step', async () => {
    silent();
    for (const [number, step] of STEPS.entries()) {
      let isWiped = false;
      const { signUp, reaches, atStripe, topics, onboarding } = await open({
        queue: quick,
        webhookMs: 100,
        trace: async (job, moment) => {
          if (isWiped || job.step !== step || moment !== 'ends') return;
          isWiped = true;
          await wipeRedis();
        },
      });
      const tenantId = `acme-${number}`;
      const answer = await signUp(signupOf(tenantId));
      await vi.waitFor(() => expect(isWiped).toBe(true), 20_000);
      const stop = resumeOften(onboarding);
      await reaches(answer, isActive);
      await stop();
      expect([step, await atStripe(tenantId), new Set(topics(tenantId))]).toEqual([
        step,
        ONCE,
        new Set(['welcome']),
      ]);
      if (number < STEPS.length - 1) await bench.close();
    }
  }, 240_000);

  it('is tried again where its workers were dead for so long that it expired', async () => {
    silent();
    let now = NOW;
    let hasWelcome = false;
    const { signUp, reaches, onboarding, atStripe } = await open({
      now: () => now,
      queue: quick,
      webhookMs: 100,
      trace: async ({ step }) => {
        if (step !== 'welcome' || hasWelcome) return;
        // All that a killed worker leaves: a transition in progress, and no job.
        await wipeRedis();
        hasWelcome = true;
        throw new Error('killed');
      },
    });
    const answer = await signUp(signupOf('Acme Corp'));
    await vi.waitFor(() => expect(hasWelcome).toBe(true), 20_000);
    now = new Date(NOW.getTime() + 16 * 60_000);
    const stop = resumeOften(onboarding);
    await reaches(answer, isActive);
    await stop();
    expect(await eventsOf('acme-corp')).toEqual(['sign_up', 'pay', 'expire', 'retry', 'complete']);
    expect(await atStripe('acme-corp')).toEqual(ONCE);
  });
});

describe('a step that fails for good', () => {
  it.each([
    ['card', 'pm_card_chargeDeclinedInsufficientFunds', 'insufficient_funds', 0, []],
    ['subscription', 'pm_card_chargeCustomerFail', 'subscription_incomplete', 1, ['canceled']],
  ])(
    '%s: says why, takes back what costs, and takes another card',
    async (name, card, reason, cards, subs) => {
      const log = silent();
      let now = NOW;
      const { signUp, reaches, atStripe, post, statusOf } = await open({
        ...{ trialDays: 0, queue: quick, now: () => now },
      });
      const answer = await signUp(signupOf('Acme Corp', { payment_method: card }));
      const status = await reaches(answer, (read) => failedStep(read) !== undefined);
      expect([status.state, failedStep(status)]).toEqual([
        'pending_payment',
        { name, state: 'failed', reason },
      ]);
      expect(await atStripe('acme-corp')).toEqual({ customers: 1, cards, subscriptions: subs });
      expect(log.mock.calls).toEqual([[`The onboarding of acme-corp failed at its step ${name}: ${reason}`]]);

      now = LATER;
      const again = await post('/signup', signupOf('Acme Corp'), answer.api_key);
      expect([again.status, await again.json()]).toEqual([
        202,
        { tenant_id: 'acme-corp', state: 'pending_payment', status_url: '/api/tenants/acme-corp' },
      ]);
      expect((await reaches(answer, isActive)).steps.every(({ state }) => state === 'done')).toBe(true);
      expect(await atStripe('acme-corp')).toEqual({
        customers: 1,
        cards: cards + 1,
        subscriptions: ['active', ...subs],
      });
      const late = await post('/signup', signupOf('Acme Corp'), answer.api_key);
      expect((await problemOf(late))[0]).toBe(409);
      expect((await statusOf(answer)).state).toBe('active');
    },
  );

  it.each(['limits', 'welcome', 'key', 'active'])(
    '%s: is rolled back, and can be tried again',
    async (failing) => {
      silent();
      let fails = true;
      let now = NOW;
      const { signUp, reaches, atStripe, onboarding, ask, topics } = await open({
        now: () => now,
        queue: quick,
        trace: ({ step }, moment) => {
          if (fails && step === failing && moment === 'begins') throw new Error('the service is away');
        },
      });
      const answer = await signUp(signupOf('Acme Corp'));
      const status = await reaches(answer, (read) => failedStep(read) !== undefined);
      expect([status.state, status.reason, failedStep(status)]).toEqual([
        'provisioning_failed',
        `${failing}: service_failed`,
        { name: failing, state: 'failed', reason: 'service_failed' },
      ]);
      expect(await atStripe('acme-corp')).toEqual({ ...ONCE, subscriptions: ['canceled'] });
      expect((await problemOf(await ask(answer.api_key)))[0]).toBe(403);

      fails = false;
      now = LATER;
      expect((await onboarding.retry('acme-corp')).state).toBe('provisioning');
      await reaches(answer, isActive);
      expect(await atStripe('acme-corp')).toEqual({ ...ONCE, subscriptions: ['trialing', 'canceled'] });
      expect([topics('acme-corp'), (await ask(answer.api_key)).status]).toEqual([['welcome'], 200]);
      expect(await eventsOf('acme-corp')).toEqual(['sign_up', 'pay', 'fail', 'retry', 'complete']);
    },
  );

  it('is rolled back to the end by the next look, where that was not possible at first', async () => {
    silent();
    const { signUp, reaches, atStripe, onboarding, local } = await open({
      queue: { ...quick, attempts: 1 },
      trace: ({ step }, moment) => {
        if (step !== 'welcome' || moment === 'ends') return;
        local.faults = () => 'unavailable';
        throw new Error('the service is away');
      },
    });
    const answer = await signUp(signupOf('Acme Corp'));
    await reaches(answer, ({ state }) => state === 'provisioning_failed');
    expect(await onboarding.resume()).toBe(0);
    local.faults = () => undefined;
    expect(await atStripe('acme-corp')).toEqual(ONCE);
    await vi.waitFor(async () => expect(await onboarding.resume()).toBe(1), 20_000);
    expect(await atStripe('acme-corp')).toEqual({ ...ONCE, subscriptions: ['canceled'] });
    expect([failedStep(await bench.statusOf(answer))?.name, await onboarding.resume()]).toEqual([
      'welcome',
      0,
    ]);
  });

  it('leaves no subscription to a tenant that was deleted while it was made', async () => {
    let hasEnded = false;
    const { signUp, atStripe, lifecycle } = await open({
      trace: async ({ tenantId, step }, moment) => {
        if (step !== 'subscription') return;
        if (moment === 'begins') await lifecycle.transition({ tenantId, event: 'delete', by: 'test' });
        else hasEnded = true;
      },
    });
    await signUp(signupOf('Acme Corp'));
    await vi.waitFor(() => expect(hasEnded).toBe(true), 20_000);
    expect((await atStripe('acme-corp')).subscriptions).toEqual(['canceled']);
  });

  it('is not tried again for a tenant that is active, or that nobody knows', async () => {
    const { signUp, reaches, onboarding } = await open();
    await reaches(await signUp(signupOf('Acme Corp')), isActive);
    await expect(onboarding.retry('acme-corp')).rejects.toThrow('Cannot retry acme-corp: it is active');
    await expect(onboarding.retry('nobody')).rejects.toThrow('Cannot retry nobody: there is no such tenant');
  });
});

describe('of signups with one e-mail or one company', () => {
  it('one wins, of 500 at once', async () => {
    const { post, stripe } = await open();
    const answers = await Promise.all(
      Array.from({ length: 500 }, (_, number) =>
        post('/signup', signupOf(`Acme ${number}`, { email: 'ann@example.com' })),
      ),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect([statuses.indexOf(409), new Set(statuses)]).toEqual([1, new Set([202, 409])]);
    const rows = await engine.rows('SELECT DISTINCT tenant_id FROM lifecycle_log');
    expect(rows).toHaveLength(1);
    expect(await engine.rows('SELECT count() AS profiles FROM tenant_profiles FINAL')).toEqual([
      { profiles: 1 },
    ]);
    expect((await stripe.customers.list()).data.length).toBeLessThan(2);
  });

  const SAME_EMAIL =
    'this e-mail has signed up already; whoever has its key may send it along, to try another card';
  const SAME_ID =
    "the id acme-corp, which the company's name gives, is taken; whoever has its key may send it along, " +
    'to try another card; another company needs another name';

  it.each([
    ['the same', 'Acme Corp', 'acme.corp@example.com', SAME_EMAIL],
    ['the same in other words', ' ACME  corp.', ' Acme.Corp@Example.COM ', SAME_EMAIL],
    ['the same e-mail', 'Beta Inc', 'ACME.CORP@example.com', SAME_EMAIL],
    ['the same company', 'Ácme-Corp!', 'bob@example.com', SAME_ID],
  ])('%s is refused, and changes nothing', async (_, company, email, refusal) => {
    const { post, signUp, reaches, statusOf } = await open();
    const answer = await signUp(signupOf('Acme Corp'));
    const before = await reaches(answer, isActive);
    const response = await post('/signup', signupOf(company, { email, plan: 'pro' }));
    expect(await problemOf(response)).toEqual([409, `Cannot sign up: ${refusal}`]);
    expect(await statusOf(answer)).toEqual(before);
    expect(await engine.rows('SELECT tenant_id FROM tenant_profiles FINAL')).toEqual([
      { tenant_id: 'acme-corp' },
    ]);
  });

  it('another company whose name gives the same id is not told that it has signed up', async () => {
    const { post, signUp } = await open();
    const start = 'a'.repeat(63);
    await signUp(signupOf(`${start} North`));
    const response = await post('/signup', signupOf(`${start} South`));
    expect(await problemOf(response)).toEqual([409, expect.stringContaining(`the id ${start}, which`)]);
  });

  it('a tenant that never signed up here, but has usage, is nobody else’s', async () => {
    const { post } = await open();
    await recordTenants(engine.clickhouse, [
      { tenantId: 'old-corp', plan: 'pro', state: 'active', effectiveFrom: NOW },
    ]);
    expect((await problemOf(await post('/signup', signupOf('Old Corp'))))[0]).toBe(409);
  });

  it('what a killed signup left is nobody’s, and in nobody’s way', async () => {
    const { signUp, reaches, keys, get } = await open();
    const profiles = await TenantProfiles.open(engine.clickhouse);
    const key = await keys.issue('acme-corp', { enabled: false });
    const left = readSignup(signupOf('Acme Corp', { email: 'ann@example.com' }));
    await profiles.keep({ ...left, cardNumber: 1, createdAt: NOW });
    await reaches(await signUp(signupOf('Acme Corp')), isActive);
    expect((await get('/api/tenants/acme-corp', key)).status).toBe(401);
    await reaches(await signUp(signupOf('Beta Inc', { email: 'ann@example.com' })), isActive);
  });
});
