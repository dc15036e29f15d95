import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { WebhookEvent } from '../../../src/billing/webhooks/webhook-event.js';
import {
  type BilledTenantOptions,
  billedTenant,
  dunningDayAt,
  eventAbout,
  handleAll,
  handlersOf,
} from '../../support/billed-tenant.js';
import { type Embedded, openEmbedded } from '../../support/embedded.js';
import { readStanding } from '../../support/standing.js';

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

describe('customer.subscription.trial_will_end', () => {
  const type = 'customer.subscription.trial_will_end';

  it('reminds a tenant without a card, once', async () => {
    const tenant = await open({ card: null, trialDays: 14 });
    await tenant.advance('2025-11-12T01:00:00Z');
    const [warning] = await tenant.events(type);
    for (let time = 1; time <= 3; time += 1) await tenant.handle(warning as WebhookEvent);
    expect(tenant.told).toEqual([
      {
        id: `${tenantId}:1:trial_reminder`,
        tenantId,
        topic: 'trial_reminder',
        text: 'Your trial ends on 2025-11-15 and there is no card; please add one',
      },
    ]);
  });

  it('says nothing to one with a card, and nothing when the trial is over', async () => {
    const tenant = await open({ trialDays: 14 });
    await tenant.advance('2025-11-12T01:00:00Z');
    await handleAll(tenant, await tenant.events(type));
    tenantId = `${tenantId}-late`;
    const late = await open({ card: null, trialDays: 14 });
    await late.advance('2025-11-15T00:30:00Z');
    await handleAll(late, await late.events(type));
    expect([...tenant.told, ...late.told]).toEqual([]);
  });
});

describe('invoice.*', () => {
  it('that failed brings the reminder, and paid gives thanks, whatever the event says', async () => {
    const tenant = await open();
    // An old invoice that was paid: the customer as it is now is what counts.
    const [paid] = await tenant.events('invoice.paid');
    tenant.failCard();
    await tenant.advance(dunningDayAt(1));
    const [failed] = await tenant.events('invoice.payment_failed');
    await handleAll(tenant, [paid, failed, paid, failed] as WebhookEvent[]);
    expect(tenant.topics()).toEqual(['reminder_sent']);
    await tenant.pay();
    await handleAll(tenant, [failed, paid, failed] as WebhookEvent[]);
    expect(tenant.topics()).toEqual(['reminder_sent', 'reactivated']);
  });

  it.each([
    ['invoice.voided', 'voidInvoice', ['reminder_sent', 'reactivated']],
    ['invoice.marked_uncollectible', 'markUncollectible', ['reminder_sent']],
  ] as const)('%s is seen', async (type, change, topics) => {
    const tenant = await open();
    tenant.failCard();
    await tenant.advance(dunningDayAt(1));
    const [failed] = await tenant.events('invoice.payment_failed');
    await tenant.handle(failed as WebhookEvent);
    await tenant.stripe.invoices[change](failed?.objectId ?? '');
    await handleAll(tenant, await tenant.events(type));
    expect(tenant.topics()).toEqual(topics);
  });
});

describe('charge.dispute.created', () => {
  it('calls a person here, once, and does not tell the tenant', async () => {
    const tenant = await open();
    const [charge] = (await tenant.stripe.charges.list({ customer: tenant.customerId })).data;
    const dispute = tenant.local.dispute(charge?.id ?? '');
    const [created] = await tenant.events('charge.dispute.created');
    await handleAll(tenant, [created, created] as WebhookEvent[]);
    expect(tenant.told).toEqual([
      {
        id: `${tenantId}:1:dispute_created`,
        topic: 'dispute_created',
        text: expect.stringContaining(`${tenantId}: A payment of $29.00 is disputed`),
      },
    ]);
    expect(created?.objectId).toBe(dispute.id);
  });
});

describe('an event', () => {
  it.each([
    'invoice.paid',
    'invoice.created',
    'customer.subscription.updated',
    'customer.subscription.trial_will_end',
    'charge.dispute.created',
    'made.up',
  ])('%s about what is not there is done', async (type) => {
    const { handle, told } = await open();
    await expect(handle(eventAbout(type, 'xx_gone'))).resolves.toBeUndefined();
    expect(told).toEqual([]);
  });

  it('about a customer that was deleted is done', async () => {
    const tenant = await open();
    const events = await tenant.events();
    await tenant.stripe.customers.del(tenant.customerId);
    await handleAll(tenant, events);
    expect(tenant.told).toEqual([]);
  });

  it('throws while Stripe is away, so that it comes again', async () => {
    const { local, handle, subscriptionId } = await open();
    local.faults = () => 'unavailable';
    await expect(handle(eventAbout('customer.subscription.updated', subscriptionId))).rejects.toThrow();
  });

  it('handled by several at once does each thing once', async () => {
    const tenant = await open({ planType: 'pro' });
    tenant.failCard();
    await tenant.advance(dunningDayAt(8));
    const events = await tenant.events();
    const others = await Promise.all(
      [1, 2, 3].map(() =>
        handlersOf(tenant.local, {
          ...engine,
          billing: tenant.billing,
          told: tenant.told,
          now: tenant.clock,
        }),
      ),
    );
    await Promise.all(events.flatMap((one) => others.map(({ handle }) => handle(one))));
    expect(tenant.topics()).toEqual(['service_suspended']);
    expect((await tenant.ledger.of(tenant.tenantId)).map(({ action }) => action)).toEqual([
      'reminder_sent',
      'warning_sent',
      'rate_limit_reduced',
      'service_suspended',
    ]);
    const [terms] = await engine.rows<{ n: number }>(
      `SELECT count() AS n FROM tenant_quotas WHERE tenant_id = '${tenantId}'`,
    );
    expect(terms).toEqual({ n: 1 });
    expect(await readStanding(engine.redis, tenantId)).toBe('suspended');
  });
});
