import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { reconcile } from '../../src/billing/reconcile/reconcile.js';
import { newSignup, onboarded, signUp, type TestTenant } from '../../src/checks/test-tenant.js';
import { limitsOf } from '../../src/plans.js';
import { type TestPlatform, testPlatform } from '../support/platform.js';

let platform: TestPlatform;
let tenant: TestTenant;
beforeAll(async () => {
  platform = await testPlatform();
});
afterAll(() => platform.end());

it('bills the cheaper plan from the 1st, though our clock is behind Stripe’s when the month begins', async () => {
  if (platform.service.mode === 'off') throw new Error(platform.service.skip);
  const { url, clock, books } = platform.service.client;
  tenant = (await signUp(url, newSignup('pro'))).tenant as TestTenant;
  await onboarded(tenant);
  const asked = await tenant.call('POST', `/api/tenants/${tenant.tenantId}/plan`, { plan: 'starter' });
  expect(asked).toMatchObject({ status: 200, body: { change: { kind: 'downgrade' } } });

  // The renewal is told of while the clock is still on its way.
  await clock.advanceTo(new Date('2026-01-01T00:30:00Z'));
  const { billing } = books();
  const customerId = await billing.customerFor({ tenantId: tenant.tenantId });
  const invoiced = async () =>
    (await billing.invoicesOf(customerId)).map(({ reason, totalCents }) => [reason, totalCents]);
  await vi.waitFor(
    async () =>
      expect(await invoiced()).toEqual([
        ['subscription_create', 9_900],
        ['subscription_cycle', 9_900],
        ['subscription_update', -7_000],
      ]),
    10_000,
  );
  await clock.advanceTo(new Date('2026-01-15T00:00:00Z'));
  expect((await billing.invoicesOf(customerId)).map(({ status }) => status)).toEqual([
    'paid',
    'paid',
    'paid',
  ]);
  await platform.service.client.round();
  expect(await reconcile(books())).toEqual([]);
  const limits = (await tenant.ask('What may I use?')).headers.get('ratelimit-policy');
  expect(limits).toContain(`q=${limitsOf('starter').queries};`);
});

it('has the limits of the plan that is taken back on the 1st, after the cheaper one held', async () => {
  if (platform.service.mode === 'off') throw new Error(platform.service.skip);
  const { clock } = platform.service.client;
  const changeTo = (plan: string) => tenant.call('POST', `/api/tenants/${tenant.tenantId}/plan`, { plan });
  const limits = async () => (await tenant.ask('What may I use?')).headers.get('ratelimit-policy');
  expect((await changeTo('pro')).status).toBe(200);
  expect((await changeTo('starter')).status).toBe(200);
  await clock.advanceTo(new Date('2026-02-01T00:30:00Z'));
  await vi.waitFor(async () => expect(await limits()).toContain(`q=${limitsOf('starter').queries};`), 10_000);
  await clock.advanceTo(new Date('2026-02-01T14:00:00Z'));
  expect((await changeTo('pro')).status).toBe(200);
  await clock.advanceTo(new Date('2026-02-02T00:00:00Z'));
  expect(await limits()).toContain(`q=${limitsOf('pro').queries};`);
});
