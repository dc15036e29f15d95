import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sdkOf } from '../../src/billing/sdk.js';
import { checkLifecycleToIntegration } from '../../src/checks/lifecycle-to-integration.js';
import { checkStripeBilling } from '../../src/checks/stripe-billing.js';
import { checkUsageMetering } from '../../src/checks/usage-metering.js';
import { PRICE_TABLES } from '../../src/metering/costs.js';
import { createEvent } from '../../src/metering/event.js';
import { SAMPLE_NOW } from '../../src/metering/sample-month.js';
import type { AppOptions } from '../../src/server/app.js';
import type { OtherParts } from '../../src/server/platform.js';
import { behind, expectRed, type TestPlatform, testPlatform } from '../support/platform.js';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await testPlatform();
});
afterAll(() => platform.end());

describe('checkLifecycleToIntegration()', () => {
  it('passes all four, one after the other', { timeout: 180_000 }, async () => {
    const { bridge, results } = await checkLifecycleToIntegration({ platform: platform.service });
    expect([bridge, ...results.map(({ id, status }) => `${id} ${status}`)]).toEqual([
      'm12.4-m13.1',
      'usage-metering pass',
      'stripe-billing pass',
      'self-service-onboarding pass',
      'lifecycle pass',
    ]);
    expect(results[1]?.evidence).toEqual([
      '10,450 queries at the local Stripe: events = rollup = meter = quantity on the lines',
      'Stripe billed and charged $29.45, and our plan invoice says so, line by line:',
      'starter base fee: $29.00',
      'starter queries, included: $0.00',
      'starter queries, overage: $0.45',
    ]);
    expect(results[3]?.evidence[0]).toBe(
      '26 listed transitions made, 143 others refused: nothing had changed',
    );
  });

  it('skips what is off, with the reason and what was expected', async () => {
    const off = { mode: 'off', skip: 'OFFLINE=true' } as const;
    const { results } = await checkLifecycleToIntegration({ platform: off });
    expect(results.map(({ status, evidence, expected }) => [status, evidence, expected[0]])).toEqual([
      ['skip', ['OFFLINE=true'], '20 and 10 queries of two tenants at once are in their usage'],
      [
        'skip',
        ['OFFLINE=true'],
        '10,450 queries: events = rollup = meter = quantity on the lines of the invoice',
      ],
      [
        'skip',
        ['OFFLINE=true'],
        'signup, payment, provisioning: active in under 60 s, and the key answers a query',
      ],
      [
        'skip',
        ['OFFLINE=true'],
        'every event in every state: what the table lists is done, all else is refused and changes nothing',
      ],
    ]);
  });
});

type Tracker = AppOptions['tracker'];

/** What the server tells its tracker goes through `track`. */
const tracking =
  (track: (tracker: Tracker) => Tracker['track']): OtherParts =>
  ({ tracker, ...own }) => ({
    ...own,
    tracker: { track: track(tracker), stats: () => tracker.stats() },
  });

describe('checkUsageMetering() is red', () => {
  const advice = /^Mend M12\.1 before going on: follow one query/;
  const meteredWith = (parts: OtherParts) =>
    platform.withParts(parts, (service) => checkUsageMetering(service, { withinSeconds: 3 }));

  it('when an answer is given and its event is lost', async () => {
    const lost = tracking(
      () => (input) => createEvent(input, { priceTables: PRICE_TABLES, now: input.timestamp ?? SAMPLE_NOW }),
    );
    const result = await meteredWith(lost);
    expectRed(result, 'tokens_output of the first tenant: 1,851 as answered, 0 in its usage', advice);
  });

  it('when events are another tenant’s', async () => {
    let one: string | undefined;
    const oneTenant = tracking((tracker) => (input) => {
      one ??= input.tenantId;
      return tracker.track({ ...input, tenantId: one });
    });
    const result = await meteredWith(oneTenant);
    expectRed(result, /queries of the (first|second) tenant: [12]0 as answered, 0 in its usage/, advice);
    expect(result.evidence.join()).toMatch(/queries of the \w+ tenant: [12]0 as answered, 30 in its usage/);
  });

  it('when a caller’s copy is counted again', async () => {
    const twice = tracking((tracker) => (input) => {
      tracker.track(input);
      return tracker.track(input);
    });
    const result = await meteredWith(twice);
    expectRed(result, 'queries of the first tenant: 20 as answered, 40 in its usage', advice);
  });

  it('when one tenant may read what another used', async () => {
    const keys = new Map<string, string>();
    const open = await behind(platform, async (request, pass) => {
      const tenantId = /tenants\/([^/]+)\/usage/.exec(request.url)?.[1];
      const key = tenantId && keys.get(tenantId);
      if (key) return pass(new Request(request, { headers: { authorization: `Bearer ${key}` } }));
      const answer = await pass();
      const { tenant_id, api_key } = (await answer.clone().json()) as Record<string, string>;
      if (tenant_id && api_key) keys.set(tenant_id, api_key);
      return answer;
    });
    const result = await checkUsageMetering(open);
    expectRed(result, "one tenant's key got 200, not 403, for the other's usage", advice);
    expect(result.evidence).toHaveLength(1);
  });

  it('when ClickHouse does not answer', async () => {
    const away = platform.withClient(({ clickhouse }) => ({
      clickhouse: Object.assign(Object.create(clickhouse), {
        command: () => Promise.reject(new Error('connect ECONNREFUSED')),
      }),
    }));
    expectRed(await checkUsageMetering(away), 'connect ECONNREFUSED', advice);
  });
});

describe('checkStripeBilling() is red', () => {
  const advice = /^Mend M12\.2 before going on: the first hop that differs/;

  it('when no usage is reported', async () => {
    const result = await checkStripeBilling(platform.service, { reportUsage: async () => undefined });
    expectRed(result, 'meter at Stripe: 0 queries, 10,450 were answered', advice);
    expect(result.evidence).toContain("our plan invoice says $29.45, Stripe's $29.00");
  });

  it('when events were lost after they were answered', async () => {
    const lossy = platform.withClient(({ tracker }) => ({
      tracker: {
        track: (input) =>
          tracker.track({ ...input, queries: Number((input.timestamp?.getUTCDate() ?? 0) > 3) }),
        flush: () => tracker.flush(),
      },
    }));
    expectRed(await checkStripeBilling(lossy), /events: 9,40\d queries, 10,450 were answered/, advice);
  });

  it('when the month is billed and not paid', async () => {
    const result = await checkStripeBilling(platform.service, {
      async reportUsage({ round, books }) {
        await round();
        const { billing, stripe } = books();
        const customer = [...(await billing.allCustomers()).values()].at(-1) ?? 'none';
        const { id } = await sdkOf(stripe).paymentMethods.attach('pm_card_chargeCustomerFail', { customer });
        await sdkOf(stripe).customers.update(customer, { invoice_settings: { default_payment_method: id } });
      },
    });
    expectRed(result, 'an invoice of $29.45 is open, not paid', advice);
  });

  it('when Stripe bills what nobody used', async () => {
    const result = await checkStripeBilling(platform.service, {
      async reportUsage({ round, books, clickhouse, clock }) {
        await round();
        const query = 'SELECT tenant_id AS tenantId FROM usage_events ORDER BY timestamp DESC LIMIT 1';
        const newest = await clickhouse.query({ query, format: 'JSONEachRow' });
        const [tenant = { tenantId: 'none' }] = await newest.json<{ tenantId: string }>();
        const { billing, stripe } = books();
        const customer = await billing.customerFor(tenant);
        const lastDay = clock.now().getTime() / 1_000 - 86_400;
        const period = { start: lastDay, end: lastDay };
        await sdkOf(stripe).invoiceItems.create({ customer, amount: 500, currency: 'usd', period });
      },
    });
    expectRed(result, "our plan invoice says $29.45, Stripe's $34.45", advice);
  });
});

describe('close()', () => {
  it('leaves no customer and no usage of its tenants behind', async () => {
    await platform.close();
    const { clickhouse } = platform.services;
    if (clickhouse.mode === 'off') throw new Error(clickhouse.skip);
    const counts = await clickhouse.client.query({
      query: `SELECT (SELECT count() FROM usage_events) + (SELECT count() FROM usage_daily) AS left`,
      format: 'JSONEachRow',
    });
    expect(await counts.json()).toEqual([{ left: 0 }]);
    expect(platform.service).toEqual({ mode: 'off', skip: 'this platform is closed' });
  });
});
