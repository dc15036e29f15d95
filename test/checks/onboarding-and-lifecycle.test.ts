import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkLifecycle } from '../../src/checks/lifecycle-transitions.js';
import { checkOnboarding } from '../../src/checks/self-service-onboarding.js';
import type { OtherParts } from '../../src/server/platform.js';
import { addTenantRoutes } from '../../src/server/tenant-routes.js';
import type { TenantLifecycle } from '../../src/tenants/lifecycle.js';
import { TransitionRefusedError } from '../../src/tenants/transition-refused-error.js';
import { expectRed, type TestPlatform, testPlatform } from '../support/platform.js';

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
