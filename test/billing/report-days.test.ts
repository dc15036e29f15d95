import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { UnreportedUsageError } from '../../src/billing/billing-errors.js';
import { StripeBillingManager } from '../../src/billing/billing-manager.js';
import { reportBeforeChange, reportDays } from '../../src/billing/report-days.js';
import { openReportLedger, type ReportLedger } from '../../src/billing/report-ledger.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { eventOf, storeBatch } from '../support/events.js';
import { type ManagerWorld, managerWorld } from './manager-world.js';

let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
});
afterAll(() => engine.close());

const now = new Date('2025-11-20T12:00:00Z');
let world: ManagerWorld;
let ledger: ReportLedger;
let billing: StripeBillingManager;
let subscriptionId: string;
const books = () => ({ clickhouse: engine.clickhouse, billing, ledger, now });

beforeEach(async () => {
  for (const table of ['usage_events', 'usage_reports'])
    await engine.command(`TRUNCATE TABLE IF EXISTS ${table}`);
  ledger = await openReportLedger(engine.clickhouse);
  world = await managerWorld('2025-11-01T00:00:00Z');
  await world.addCard();
  ({ subscriptionId } = await world.subscribe('starter', 0));
  await world.advance(now.toISOString());
  const { stripe, catalogue, clock } = world;
  billing = new StripeBillingManager(stripe, {
    catalogue,
    testClock: clock,
    beforeChange: (tenantId, kind) => reportBeforeChange(books(), { tenantId, kind }),
  });
});

const use = (...days: string[]) =>
  storeBatch(
    engine.clickhouse,
    days.map((day) => {
      const timestamp = new Date(`${day}T08:00:00Z`);
      return eventOf({ queries: 12_000, timestamp }, timestamp);
    }),
  );
/** Stripe takes no usage. */
const refuse = () => {
  world.local.faults = ({ path }) => (path.endsWith('meter_events') ? 'unavailable' : undefined);
};
const standing = async () => {
  const { status, planType } = (await billing.findSubscription(world.customerId)) ?? {};
  return { status, planType };
};

describe('reportBeforeChange()', () => {
  it.each([
    ['a dearer plan', () => billing.changePlan({ subscriptionId, planType: 'pro' })],
    ['an end at once', () => billing.cancelSubscription({ subscriptionId, atPeriodEnd: false })],
  ])('stops %s while usage cannot be reported, and lets it be made then', async (_, change) => {
    await use('2025-11-05', '2025-11-06');
    refuse();
    const error = new UnreportedUsageError(
      'acme-corp',
      ['2025-11-05', '2025-11-06'],
      'Stripe is not available.',
    );
    await expect(change()).rejects.toThrow(error);
    expect(await standing()).toEqual({ status: 'active', planType: 'starter' });
    world.local.faults = () => undefined;
    await change();
    // 24,000 queries of the starter plan, 14,000 of them beyond the included ones.
    const lines = (await billing.invoicesOf(world.customerId)).flatMap((invoice) => invoice.lines);
    expect(lines.map(({ amountCents }) => amountCents)).toContain(1_400);
  });

  it('has a preview tell what the change then takes, with use that was not reported yet', async () => {
    await use('2025-11-05', '2025-11-06');
    const { totalCents, lines } = await billing.previewPlanChange({ subscriptionId, planType: 'pro' });
    expect(lines.map(({ amountCents }) => amountCents)).toContain(1_400);
    await billing.changePlan({ subscriptionId, planType: 'pro' });
    expect((await billing.invoicesOf(world.customerId)).at(-1)).toMatchObject({ totalCents });
  });

  it('stops a cheaper plan that is due', async () => {
    await billing.changePlan({ subscriptionId, planType: 'pro' });
    await billing.changePlan({ subscriptionId, planType: 'starter' });
    await world.stripe.subscriptions.update(subscriptionId, { metadata: { next_plan_from: '2025-11-01' } });
    await use('2025-11-05');
    refuse();
    await expect(billing.applyWaitingChange(subscriptionId)).rejects.toThrow(UnreportedUsageError);
    expect(await standing()).toEqual({ status: 'active', planType: 'pro' });
  });

  it('has no need of Stripe’s meter where nothing was used, or all is there', async () => {
    await use('2025-11-05');
    expect(await reportDays(books())).toEqual([]);
    refuse();
    await billing.changePlan({ subscriptionId, planType: 'pro' });
    expect(await standing()).toEqual({ status: 'active', planType: 'pro' });
  });
});

describe('reportDays()', () => {
  it('leaves out today, and days that Stripe no longer takes', async () => {
    await use('2025-10-14', '2025-10-17', '2025-11-19', '2025-11-20');
    expect(await reportDays(books())).toEqual([]);
    const rows = ['2025-10-14', '2025-10-17', '2025-11-19', '2025-11-20'].map((date) => ({
      tenant_id: 'acme-corp',
      date,
    }));
    expect([...(await ledger.newest(rows)).keys()].sort()).toEqual([
      'acme-corp:2025-10-17',
      'acme-corp:2025-11-19',
    ]);
  });

  it('tells what failed', async () => {
    await use('2025-11-05');
    refuse();
    expect(await reportDays(books())).toMatchObject([
      { date: '2025-11-05', error: 'Stripe is not available.' },
    ]);
  });
});
