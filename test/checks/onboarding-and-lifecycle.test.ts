import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { checkLifecycle } from '../../src/checks/lifecycle-transitions.js';
import { raceTransitions } from '../../src/checks/racing-transitions.js';
import { checkOnboarding } from '../../src/checks/self-service-onboarding.js';
import { limitsOf } from '../../src/plans.js';
import { listen } from '../../src/server/listen.js';
import type { OtherParts } from '../../src/server/platform.js';
import { addTenantRoutes } from '../../src/server/tenant-routes.js';
import type { TenantLifecycle } from '../../src/tenants/lifecycle.js';
import { LIFECYCLE } from '../../src/tenants/lifecycle-table.js';
import { TransitionRefusedError } from '../../src/tenants/transition-refused-error.js';
import { behind, expectRed, type TestPlatform, testPlatform } from '../support/platform.js';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await testPlatform();
});
afterAll(() => platform.end());

describe('checkOnboarding() is red', () => {
  const advice = /^Mend M12\.3 before going on: GET \/api\/tenants\/\{id\} names the step/;
  const onboardedWith = (parts: OtherParts, options = {}) =>
    platform.withParts(parts, (service) => checkOnboarding(service, options));

  it('when the key is not enabled', async () => {
    const result = await onboardedWith(({ keys, ...own }) => ({
      ...own,
      keys: {
        holderOf: async (key) => {
          const holder = await keys.holderOf(key);
          return holder && { ...holder, enabled: false };
        },
      },
    }));
    expectRed(result, 'a query with the new key got 403, not 200', advice);
  });

  it('when the card is declined, with the step and why', async () => {
    const paymentMethod = 'pm_card_chargeDeclinedInsufficientFunds';
    const result = await checkOnboarding(platform.service, { paymentMethod });
    expectRed(result, 'its step card is failed (insufficient_funds)', advice);
  });

  it('when no webhook arrives, with the step that waits', async () => {
    const closed: OtherParts = (own) => ({
      ...own,
      webhooks: async () => new Response(null, { status: 503 }),
    });
    const result = await onboardedWith(closed, { budgetSeconds: 3 });
    expectRed(result, 'not active within 3 s: it is pending_payment, its step payment is waiting', advice);
  });

  it('when a second signup gets a tenant of its own', async () => {
    const result = await onboardedWith(({ onboarding, ...own }) => {
      if (!onboarding) throw new Error('no onboarding');
      let signups = 0;
      const signUp: typeof onboarding.signUp = (signup) => {
        signups += 1;
        const [tenantId, email] = [`${signup.tenantId}-${signups}`, `${signups}${signup.email}`];
        return onboarding.signUp({ ...signup, tenantId, email });
      };
      const retry: typeof onboarding.retry = (...given) => onboarding.retry(...given);
      return { ...own, onboarding: { signUp, retry, statusOf: (id) => onboarding.statusOf(id) } };
    });
    expectRed(result, 'a second signup with the same e-mail got 202, not 409', advice);
    expect(result.evidence).toContain('a second signup with the same company got 202, not 409');
  });

  it('when a second signup is refused, and makes a tenant all the same', async () => {
    const result = await onboardedWith(({ onboarding, ...own }) => {
      if (!onboarding) throw new Error('no onboarding');
      let signups = 0;
      const signUp: typeof onboarding.signUp = async (signup) => {
        signups += 1;
        const other = { tenantId: `${signup.tenantId}-more`, email: `more.${signups}.${signup.email}` };
        if (signups === 2) await onboarding.signUp({ ...signup, ...other });
        return onboarding.signUp(signup);
      };
      const retry: typeof onboarding.retry = (...given) => onboarding.retry(...given);
      return { ...own, onboarding: { signUp, retry, statusOf: (id) => onboarding.statusOf(id) } };
    });
    expectRed(result, 'signing up again made 1 more tenant', advice);
  });

  it('when the tenant cannot be deleted', async () => {
    const stays = await behind(platform, async (request, pass) =>
      request.method === 'DELETE' ? new Response(null, { status: 500 }) : pass(),
    );
    expectRed(await checkOnboarding(stays), 'the deletion of the test tenant got 500, not 202', advice);
  });

  it('when nothing answers, with the address', async () => {
    const silent = await behind(platform, () => new Promise(() => undefined));
    const result = await checkOnboarding(silent, { budgetSeconds: 0.5 });
    expectRed(result, /^no answer from http:\/\/127\.0\.0\.1:\d+\/front\/signup \(waited 0\.5 s\)$/, advice);
    const { url, close } = await listen({ fetch: () => new Response() });
    await close();
    const closed = { mode: 'configured', client: { url }, address: url } as const;
    expectRed(await checkOnboarding(closed), `no answer from ${url}/signup (ECONNREFUSED)`, advice);
  });

  it.each([
    [{}, {}, 'POST /signup got 202 without tenant_id and api_key'],
    [{ tenant_id: 'a', api_key: 'k\ny' }, {}, 'POST /signup got 202 without tenant_id and api_key'],
    [{ tenant_id: 'a', api_key: 'key' }, {}, 'GET /api/tenants/{id} got 200 without a state'],
    [
      { tenant_id: 'a', api_key: 'key' },
      { state: 'new', steps: [null] },
      'not active within 0.5 s: it is new',
    ],
    [
      { tenant_id: 'a', api_key: 'key' },
      { state: 'provisioning_failed' },
      'not active: it is provisioning_failed',
    ],
  ])('when something else answers, %#', async (signedUp, status, problem) => {
    const strange = await behind(platform, async ({ method }) =>
      method === 'POST' ? Response.json(signedUp, { status: 202 }) : Response.json(status),
    );
    expectRed(await checkOnboarding(strange, { budgetSeconds: 0.5 }), problem, advice);
  });

  it('when there is no such route', async () => {
    const result = await onboardedWith(({ onboarding: _, ...own }) => own);
    expectRed(result, 'POST /signup got 404, not 202 with tenant_id and api_key', advice);
  });
});

describe('checkLifecycle() is red', () => {
  const advice = /^Mend M12\.4 before going on: change a state in one step/;

  it('when a change looks first and works then', async () => {
    const lookThenWork: OtherParts = (own, { lifecycle, parts }) => {
      const during: TenantLifecycle['during'] = async (asked, work) => {
        const before = await lifecycle.read(asked.tenantId);
        if (before?.state !== 'active') throw new Error('busy');
        await work(before);
        return before;
      };
      const plan = { ...parts, lifecycle: { read: (id: string) => lifecycle.read(id), during } };
      return { ...own, tenantRoutes: (app) => addTenantRoutes(app, { plan, deletion: parts }) };
    };
    const result = await platform.withParts(lookThenWork, checkLifecycle);
    expectRed(result, 'two upgrades to pro at once got 200 and 200', advice);
    expect(result.evidence).toContain('after the upgrade to pro the log says starter');
  });

  it('when a transition is made that the table does not list', async () => {
    const lenient = platform.withClient(({ lifecycle }) => ({
      lifecycle: {
        read: (id) => lifecycle.read(id),
        async transition(request) {
          const before = await lifecycle.read(request.tenantId);
          const isBack = before?.state === 'cancelled' && request.event === 'reactivate';
          return lifecycle.transition(isBack ? { ...request, event: 'win_back' } : request);
        },
      },
    }));
    const result = await checkLifecycle(lenient);
    expectRed(result, 'cancelled, reactivate: not listed, and yet it is returning then', advice);
  });

  it('when a refusal does not tell the current state', async () => {
    const silent = platform.withClient(({ lifecycle }) => ({
      lifecycle: {
        read: (id) => lifecycle.read(id),
        transition: (request) =>
          lifecycle.transition(request).catch((error: unknown) => {
            if (!(error instanceof TransitionRefusedError)) throw error;
            throw new TransitionRefusedError({ ...error, state: 'active' });
          }),
      },
    }));
    expectRed(await checkLifecycle(silent), /refused as if it were active/, advice);
  });

  it('when many who ask at once all win', async () => {
    const everybody = platform.withClient(({ lifecycle }) => ({
      lifecycle: {
        read: (id) => lifecycle.read(id),
        transition: (request) =>
          lifecycle.transition(request).catch(async (error: unknown) => {
            const held = await lifecycle.read(request.tenantId);
            if (request.event === 'suspend' && held?.state === 'suspended' && held.version === 4) return held;
            throw error;
          }),
      },
    }));
    expectRed(await checkLifecycle(everybody), 'of 20 changes at once 20 won', advice);
  });

  it('when a transition is not in the log', async () => {
    if (platform.service.mode === 'off') throw new Error(platform.service.skip);
    const { lifecycle, clickhouse } = platform.service.client;
    const forgetful = Object.assign(Object.create(clickhouse), {
      query: ({ query, ...given }: { query: string; format: 'JSONEachRow' }) =>
        clickhouse.query({ ...given, query: query.replace('ORDER BY', "AND event != 'suspend' ORDER BY") }),
    });
    expect(await raceTransitions({ lifecycle, clickhouse })).toEqual([]);
    expect(await raceTransitions({ lifecycle, clickhouse: forgetful })).toEqual([
      'the log says sign_up, pay, complete, not sign_up, pay, complete, suspend',
    ]);
  });

  it('when the table has another transition', async () => {
    const { on } = LIFECYCLE.purged as { on: Record<string, string> };
    onTestFinished(() => {
      delete on.win_back;
    });
    on.win_back = 'returning';
    const result = await checkLifecycle(platform.service);
    expectRed(result, '27 transitions listed, 142 not: it should be 26 and 143', advice);
  });

  it('when the gate does not hear of the new plan, and a refusal tells another state', async () => {
    const lying: OtherParts = (own, { lifecycle, parts }) => {
      const during: TenantLifecycle['during'] = (asked, work) =>
        lifecycle.during(asked, work).catch((error: unknown) => {
          if (!(error instanceof TransitionRefusedError)) throw error;
          throw new TransitionRefusedError({ ...error, state: 'purged', version: -7 });
        });
      const plan = { ...parts, lifecycle: { read: (id: string) => lifecycle.read(id), during } };
      const tenantRoutes: typeof own.tenantRoutes = (app) => addTenantRoutes(app, { plan, deletion: parts });
      return { ...own, limitsOf: () => limitsOf('starter'), tenantRoutes };
    };
    const result = await platform.withParts(lying, checkLifecycle);
    expectRed(result, 'the refusal of an upgrade to pro does not say the current state', advice);
    expect(result.evidence.join()).toContain('after the upgrade to pro the gate says "queries";q=2000;');
  });

  it('when the server does not answer any more in the midst of it, and comes to an end', async () => {
    let isGone = false;
    const falling = await behind(platform, async (request, pass) => {
      isGone ||= request.url.endsWith('/plan');
      const cut = new ReadableStream({ start: (body) => body.error(new Error('the server fell')) });
      return isGone ? new Response(cut) : pass();
    });
    expectRed(await checkLifecycle(falling), 'no answer from http://127.0.0.1', advice);
  });

  it('when queries are refused while a plan changes', async () => {
    const strict: OtherParts = (own, { lifecycle }) => ({
      ...own,
      limitsOf: async (id) => {
        const isBusy = (await lifecycle.read(id))?.state === 'upgrading';
        return isBusy ? 'suspended' : own.limitsOf(id);
      },
    });
    const result = await platform.withParts(strict, checkLifecycle);
    expectRed(result, 'a query during the upgrades got 402', advice);
  });
});
