import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { WebhookEvent } from '../../../src/billing/webhooks/webhook-event.js';
import { readGateEntry } from '../../../src/tenants/gate-entry.js';
import {
  type BilledTenantOptions,
  billedTenant,
  eventAbout,
  handleAll,
} from '../../support/billed-tenant.js';
import { type Embedded, openEmbedded } from '../../support/embedded.js';

let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
});
afterAll(() => engine.close());

let count = 0;
let tenantId: string;
beforeEach(() => {
  count += 1;
  tenantId = `tenant-${count}`;
});
const open = (options: BilledTenantOptions = {}) => billedTenant(engine, { tenantId, ...options });

/** The terms of the tenant, e.g. `2025-11-01T00:00 pro active`, and how many rows were written for them. */
const terms = () =>
  engine.rows<{ line: string }>(`
    SELECT concat(formatDateTime(effective_from, '%Y-%m-%dT%H:%i', 'UTC'), ' ', plan, ' ', state) AS line
    FROM tenant_quotas FINAL
    WHERE tenant_id = '${tenantId}'
    ORDER BY effective_from`);
const lines = async () => (await terms()).map(({ line }) => line);
const written = async () =>
  (
    await engine.rows<{ n: number }>(`SELECT count() AS n FROM tenant_quotas WHERE tenant_id = '${tenantId}'`)
  )[0]?.n;
const planAtGate = async () => (await readGateEntry(engine.redis, tenantId)).plan;

describe('customer.subscription.*', () => {
  it('become the terms of the tenant, each state once', async () => {
    const tenant = await open({ trialDays: 14 });
    await tenant.handle(eventAbout('customer.subscription.created', tenant.subscriptionId));
    expect(await lines()).toEqual(['2025-11-01T00:00 starter active']);
    await tenant.advance('2025-11-20T10:00:00Z');
    await tenant.billing.changePlan({ subscriptionId: tenant.subscriptionId, planType: 'pro' });
    for (let time = 1; time <= 3; time += 1) await handleAll(tenant, await tenant.events());
    expect(await lines()).toEqual(['2025-11-01T00:00 starter active', '2025-11-20T00:00 pro active']);
    expect(await written()).toBe(2);
    expect(await planAtGate()).toBe('pro');
  });

  it('are the plan of the trial from its beginning, when it was changed in it', async () => {
    const tenant = await open({ trialDays: 14 });
    await tenant.advance('2025-11-03T10:00:00Z');
    await tenant.billing.changePlan({ subscriptionId: tenant.subscriptionId, planType: 'pro' });
    await tenant.handle(eventAbout('customer.subscription.updated', tenant.subscriptionId));
    await tenant.advance('2025-12-05T00:00:00Z');
    await handleAll(tenant, await tenant.events());
    expect(await lines()).toEqual(['2025-11-01T00:00 pro active']);
  });

  it('that end are written with their end, and the gate has no plan any more', async () => {
    const tenant = await open();
    await tenant.handle(eventAbout('customer.subscription.created', tenant.subscriptionId));
    await tenant.advance('2025-12-05T10:00:00Z');
    await tenant.billing.cancelSubscription({ subscriptionId: tenant.subscriptionId, atPeriodEnd: false });
    await tenant.handle(eventAbout('customer.subscription.deleted', tenant.subscriptionId));
    expect(await lines()).toEqual(['2025-11-01T00:00 starter active', '2025-12-05T10:00 starter deleted']);
    expect(await planAtGate()).toBe('none');
  });

  it('come out the same when all was missed until the end', async () => {
    const tenant = await open({ planType: 'enterprise' });
    const { subscriptionId } = tenant;
    await tenant.advance('2025-11-05T10:00:00Z');
    await tenant.billing.changePlan({ subscriptionId, planType: 'starter' });
    await tenant.handle(eventAbout('customer.subscription.updated', subscriptionId));
    expect(await lines()).toEqual(['2025-11-01T00:00 enterprise active']);
    await tenant.advance('2025-12-01T00:10:00Z');
    // The month has begun: its draft invoice says so, and the cheaper plan is made.
    const december = (await tenant.events('invoice.created')).at(-1);
    for (let time = 1; time <= 2; time += 1) await tenant.handle(december as WebhookEvent);
    expect(await planAtGate()).toBe('starter');
    await tenant.advance('2025-12-20T10:00:00Z');
    await tenant.billing.changePlan({ subscriptionId, planType: 'pro' });
    await engine.command(`DELETE FROM tenant_quotas WHERE tenant_id = '${tenantId}'`);
    await tenant.handle(eventAbout('customer.subscription.updated', subscriptionId));
    expect(await lines()).toEqual([
      '2025-11-01T00:00 enterprise active',
      '2025-12-01T00:00 starter active',
      '2025-12-20T00:00 pro active',
    ]);
  });

  it('of two changes in one second follow the later one', async () => {
    const tenant = await open();
    const { subscriptionId } = tenant;
    await tenant.advance('2025-11-10T10:00:00Z');
    await tenant.billing.changePlan({ subscriptionId, planType: 'pro' });
    await tenant.billing.changePlan({ subscriptionId, planType: 'enterprise' });
    await tenant.handle(eventAbout('customer.subscription.updated', subscriptionId));
    expect(await planAtGate()).toBe('enterprise');
  });

  it('of an end and a new subscription in one second follow the new one', async () => {
    const tenant = await open();
    const { subscriptionId, customerId } = tenant;
    await tenant.advance('2025-11-10T10:00:00Z');
    await tenant.billing.cancelSubscription({ subscriptionId, atPeriodEnd: false });
    const ended = eventAbout('customer.subscription.deleted', subscriptionId);
    await tenant.handle(ended);
    const request = { customerId, planType: 'pro', tenantId, trialDays: 0 } as const;
    const again = await tenant.billing.createSubscription(request);
    const made = eventAbout('customer.subscription.created', again.subscriptionId);
    for (const event of [ended, made, ended, made]) await tenant.handle(event);
    // The end is dated a moment before: what was used till then is billed, and must not be billed again.
    expect(await lines()).toEqual([
      '2025-11-01T00:00 starter active',
      '2025-11-10T09:59 starter deleted',
      '2025-11-10T10:00 pro active',
    ]);
    // With the end as it was first told, in whose place the new terms came; the table may have merged them by now.
    expect(await written()).toBeLessThanOrEqual(4);
    expect(await planAtGate()).toBe('pro');
  });

  it('of one that ends while another lives on do not end the tenant', async () => {
    const tenant = await open();
    const { stripe, catalogue, customerId: customer } = tenant;
    await tenant.advance('2025-11-10T10:00:00Z');
    const { basePriceId, usagePriceId } = catalogue.plans.pro;
    const items = [{ price: basePriceId }, { price: usagePriceId }];
    const newer = await stripe.subscriptions.create({ customer, items, metadata: { plan: 'pro' } });
    await tenant.advance('2025-11-12T10:00:00Z');
    await stripe.subscriptions.cancel(tenant.subscriptionId);
    await tenant.handle(eventAbout('customer.subscription.deleted', tenant.subscriptionId));
    expect(await planAtGate()).toBe('pro');
    await tenant.advance('2025-11-14T10:00:00Z');
    await stripe.subscriptions.cancel(newer.id);
    await tenant.handle(eventAbout('customer.subscription.deleted', newer.id));
    expect((await lines()).at(-1)).toBe('2025-11-14T10:00 pro deleted');
    expect(await planAtGate()).toBe('none');
  });

  it('that went there and back unseen are written as they were', async () => {
    const tenant = await open();
    const { subscriptionId } = tenant;
    await tenant.handle(eventAbout('customer.subscription.created', subscriptionId));
    await tenant.advance('2025-11-10T10:00:00Z');
    await tenant.billing.changePlan({ subscriptionId, planType: 'pro' });
    await tenant.billing.changePlan({ subscriptionId, planType: 'starter' });
    await tenant.advance('2025-12-01T00:10:00Z');
    await tenant.billing.applyWaitingChange(subscriptionId);
    await tenant.handle(eventAbout('customer.subscription.updated', subscriptionId));
    expect(await lines()).toEqual([
      '2025-11-01T00:00 starter active',
      '2025-11-10T00:00 pro active',
      '2025-12-01T00:00 starter active',
    ]);
  });

  it('are read from an invoice of more lines than Stripe shows with it', async () => {
    const tenant = await open();
    const { subscriptionId, customerId: customer, stripe } = tenant;
    await tenant.advance('2025-11-20T10:00:00Z');
    for (let line = 1; line <= 12; line += 1) {
      await stripe.invoiceItems.create({
        customer,
        subscription: subscriptionId,
        amount: 1,
        currency: 'usd',
      });
    }
    await tenant.billing.changePlan({ subscriptionId, planType: 'pro' });
    const { latest_invoice: id } = await stripe.subscriptions.retrieve(subscriptionId);
    const { lines: shown } = await stripe.invoices.retrieve(id as string);
    expect([shown.has_more, shown.data.length]).toEqual([true, 10]);
    await tenant.handle(eventAbout('customer.subscription.updated', subscriptionId));
    expect(await lines()).toEqual(['2025-11-01T00:00 starter active', '2025-11-20T00:00 pro active']);
  });

  it('leave terms alone that say the same from a moment earlier', async () => {
    const tenant = await open();
    await engine.command(
      `INSERT INTO tenant_quotas VALUES ('${tenantId}', '2025-10-31 23:59:00', 'starter', 'active', NULL)`,
    );
    await tenant.handle(eventAbout('customer.subscription.created', tenant.subscriptionId));
    expect(await lines()).toEqual(['2025-10-31T23:59 starter active']);
  });
});
