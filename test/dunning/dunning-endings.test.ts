import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { forgetCustomer } from '../../src/billing/forget-customer.js';
import type { Standing } from '../../src/tenants/gate-entry.js';
import {
  type BilledTenant,
  type BilledTenantOptions,
  billedTenant,
  dunningDayAt,
  handleAll,
  handlersOf,
} from '../support/billed-tenant.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { readStanding } from '../support/standing.js';

/** How a chase ends, who else is asked before it does, and who is told of it. */
let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
});
afterAll(() => engine.close());
beforeEach(async () => {
  await engine.command('DROP TABLE IF EXISTS tenant_ledger');
  await (engine.redis as unknown as { flushall(): Promise<void> }).flushall();
});

/** A tenant whose card fails from December on, on a day of the ladder. */
async function chased(day: number, options?: BilledTenantOptions): Promise<BilledTenant> {
  const tenant = await billedTenant(engine, options);
  tenant.failCard();
  await tenant.advance(dunningDayAt(day));
  await tenant.dunning.checkCustomer(tenant.customerId);
  return tenant;
}

const standing = () => readStanding(engine.redis, 'acme-corp');
const openInvoice = async ({ stripe, customerId }: BilledTenant) =>
  (await stripe.invoices.list({ customer: customerId, status: 'open' })).data[0]?.id ?? '';

describe('one who owes nothing any more', () => {
  it('because the invoice was voided is not thanked for a payment, and has its limits back', async () => {
    const tenant = await chased(7);
    expect(await standing()).toBe('reduced');
    await tenant.stripe.invoices.voidInvoice(await openInvoice(tenant));
    const outcome = await tenant.dunning.checkCustomer(tenant.customerId);
    expect(outcome).toMatchObject({ actions: ['reactivated'], standing: 'good' });
    expect(await standing()).toBe('good');
    expect(tenant.told.at(-1)?.text).toBe(
      'The invoice was withdrawn and need not be paid; your limits are as before',
    );
  });

  it('because its subscription never began is told that', async () => {
    const tenant = await billedTenant(engine, { card: 'pm_card_chargeCustomerFail' });
    await tenant.dunning.checkAll();
    await tenant.advance('2025-11-02T00:00:00Z');
    const { status } = await tenant.stripe.subscriptions.retrieve(tenant.subscriptionId);
    await tenant.dunning.checkAll();
    expect([status, tenant.told.map(({ text }) => text)]).toEqual([
      'incomplete_expired',
      [
        'Your payment of $29.00 did not go through; please look at your card',
        'The first payment was not made in time: the subscription did not begin, and nothing is owed',
      ],
    ]);
  });

  it('at a Stripe that does not know the invoice is chased no more', async () => {
    const tenant = await chased(8);
    const other = await billedTenant(engine, { stripe: { seed: 'another account' } });
    await other.dunning.checkCustomer(other.customerId);
    expect([await standing(), other.told]).toMatchObject(['good', [{ text: 'Your limits are as before' }]]);
    expect(tenant.topics()).toEqual(['service_suspended']);
  });

  it('when its subscription has ended is promised no limits', async () => {
    const tenant = await chased(8);
    await tenant.billing.cancelSubscription({ subscriptionId: tenant.subscriptionId, atPeriodEnd: false });
    await tenant.pay();
    await tenant.dunning.checkCustomer(tenant.customerId);
    expect(tenant.told.at(-1)?.text).toBe('Thank you, all is paid');
  });

  it('by the word of a person, who may know of no payment', async () => {
    const { dunning, told } = await chased(8);
    await dunning.reactivateTenant('acme-corp');
    expect(told.at(-1)?.text).toBe('Your limits are as before');
  });

  it('by the word of a person is not suspended again for the same invoice, and is for the next', async () => {
    const { dunning, advance, topics } = await chased(8, { stripe: { endOfRetries: 'past_due' } });
    await dunning.reactivateTenant('acme-corp');
    expect([await dunning.checkAll(), await standing()]).toEqual([[], 'good']);
    await advance('2026-01-09T00:00:00Z');
    await dunning.checkAll();
    expect([topics(), await standing()]).toEqual([
      ['service_suspended', 'reactivated', 'service_suspended'],
      'suspended',
    ]);
  });
});

it('an invoice that was given up as uncollectible is owed still, until it is paid', async () => {
  const tenant = await chased(8);
  const { stripe, dunning, topics } = tenant;
  const invoice = await openInvoice(tenant);
  await stripe.invoices.markUncollectible(invoice);
  await dunning.checkAll();
  expect([await standing(), topics()]).toEqual(['suspended', ['service_suspended']]);
  await stripe.invoices.pay(invoice, { paid_out_of_band: true });
  await dunning.checkAll();
  expect([await standing(), topics().at(-1)]).toEqual(['good', 'reactivated']);
});

describe('one who has left and owes', () => {
  const leave = ({ billing, subscriptionId }: BilledTenant) =>
    billing.cancelSubscription({ subscriptionId, atPeriodEnd: false });
  const days = async (tenant: BilledTenant) => {
    for (const day of [8, 9, 30]) {
      await tenant.advance(dunningDayAt(day));
      await tenant.dunning.checkAll();
    }
  };

  it('is reminded of the last invoice once, and of no access', async () => {
    const tenant = await billedTenant(engine);
    tenant.failCard();
    await tenant.advance('2025-12-01T00:45:00Z');
    const { customerId: customer, subscriptionId: subscription } = tenant;
    const training = { customer, subscription, amount: 4_000, currency: 'usd' };
    await tenant.stripe.invoiceItems.create(training);
    await leave(tenant);
    await days(tenant);
    expect(tenant.told.map(({ text }) => text)).toEqual([
      expect.stringMatching(
        /^Your subscription has ended, and \$\d+\.\d\d of it are still open; please pay them$/,
      ),
    ]);
    expect(await standing()).toBe('good');
    await tenant.pay();
    await tenant.dunning.checkAll();
    expect(tenant.told.at(-1)?.text).toBe('Thank you, all is paid');
  });

  it('and was reminded before is told nothing more, and stands as it did', async () => {
    const tenant = await chased(7);
    await leave(tenant);
    await days(tenant);
    expect([tenant.topics(), await standing()]).toEqual([['rate_limit_reduced'], 'reduced']);
  });
});

it('a customer whose tenant was purged is not chased for what was given up with it', async () => {
  const tenant = await chased(4);
  await engine.command('TRUNCATE TABLE tenant_ledger');
  await forgetCustomer(tenant.stripe, tenant.billing)('acme-corp');
  await handleAll(tenant, await tenant.events('invoice.marked_uncollectible'));
  await tenant.dunning.checkAll();
  expect([tenant.topics(), await tenant.ledger.of('acme-corp')]).toEqual([['warning_sent'], []]);
});

describe('a tenant with a second customer', () => {
  const second = async ({ stripe, customerId }: BilledTenant) => {
    const { test_clock } = (await stripe.customers.retrieve(customerId)) as { test_clock: string };
    return (await stripe.customers.create({ metadata: { tenant_id: 'acme-corp' }, test_clock })).id;
  };

  it('that owes nothing stays suspended for the first', async () => {
    const tenant = await chased(8);
    const outcome = await tenant.dunning.checkCustomer(await second(tenant));
    expect(outcome).toMatchObject({ actions: [], standing: 'suspended' });
    expect([await standing(), tenant.topics()]).toEqual(['suspended', ['service_suspended']]);
  });

  it('that was one too many is chased no more for what that owed', async () => {
    const tenant = await billedTenant(engine);
    const customerId = await second(tenant);
    const paymentMethodId = 'pm_card_chargeCustomerFail';
    await tenant.billing.attachPaymentMethod({ customerId, paymentMethodId });
    await tenant.stripe.invoiceItems.create({ customer: customerId, amount: 500, currency: 'usd' });
    const pending = { customer: customerId, pending_invoice_items_behavior: 'include' } as const;
    const { id = '' } = await tenant.stripe.invoices.create(pending);
    await tenant.stripe.invoices.pay(id).catch(() => undefined);
    await tenant.advance('2025-11-09T12:00:00Z');
    await tenant.dunning.checkAll();
    expect(await standing()).toBe('suspended');
    const metadata = { tenant_id: '', was_double_of: 'acme-corp' };
    await tenant.stripe.customers.update(customerId, { metadata });
    await tenant.dunning.checkAll();
    expect([await standing(), tenant.topics()]).toEqual(['good', ['service_suspended', 'reactivated']]);
  });

  it('whose failure is newer stands by the older one, until both are paid', async () => {
    const tenant = await chased(8);
    const customer = await second(tenant);
    await tenant.stripe.invoiceItems.create({ customer, amount: 500, currency: 'usd' });
    await tenant.billing.attachPaymentMethod({
      customerId: customer,
      paymentMethodId: 'pm_card_chargeCustomerFail',
    });
    const { id = '' } = await tenant.stripe.invoices.create({
      customer,
      pending_invoice_items_behavior: 'include',
    });
    await tenant.stripe.invoices.pay(id).catch(() => undefined);
    expect(await tenant.dunning.checkCustomer(customer)).toMatchObject({ standing: 'suspended' });
    await tenant.pay();
    expect(await tenant.dunning.checkCustomer(tenant.customerId)).toMatchObject({
      actions: ['reminder_sent'],
      standing: 'good',
    });
    await tenant.stripe.invoices.pay(id, { paid_out_of_band: true });
    expect(await tenant.dunning.checkCustomer(tenant.customerId)).toMatchObject({ actions: ['reactivated'] });
  });
});

describe('onStanding', () => {
  /** A tenant's dunning that tells `seen`, which fails as often as it is told. */
  async function told(tenant: BilledTenant, seen: Standing[], failures = 0) {
    let left = failures;
    const onStanding = async (tenantId: string, standing: Standing) => {
      expect([tenantId, await readStanding(engine.redis, tenantId)]).toEqual(['acme-corp', standing]);
      left -= 1;
      if (left >= 0) throw new Error('no lifecycle today');
      seen.push(standing);
    };
    const { local, clock: now, told } = tenant;
    return (await handlersOf(local, { ...engine, told, now, onStanding })).dunning;
  }

  it('is told how a tenant stands in each check, after the gate knows', async () => {
    const tenant = await billedTenant(engine);
    tenant.failCard();
    const seen: Standing[] = [];
    const dunning = await told(tenant, seen);
    for (const day of [1, 7, 8]) {
      await tenant.advance(dunningDayAt(day));
      await dunning.checkCustomer(tenant.customerId);
    }
    await tenant.pay();
    await dunning.checkCustomer(tenant.customerId);
    expect(seen).toEqual(['good', 'reduced', 'suspended', 'good']);
  });

  it('that throws stops nothing, and is told again in the next round, after a restart too', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const tenant = await chased(8);
    const seen: Standing[] = [];
    await tenant.pay();
    const [outcome] = await (await told(tenant, seen, 1)).checkAll();
    expect([outcome?.actions, tenant.topics(), seen]).toEqual([
      ['reactivated'],
      ['service_suspended', 'reactivated'],
      [],
    ]);
    expect(log.mock.calls.flat()).toEqual(['The standing of acme-corp waits: no lifecycle today']);
    expect(await (await told(tenant, seen)).checkAll()).toEqual([]);
    expect([seen, tenant.told.length]).toEqual([['good'], 2]);
    log.mockRestore();
  });

  it('is told with the lock of the tenant held', async () => {
    const tenant = await chased(8);
    const order: string[] = [];
    const { local, clock: now } = tenant;
    const slow = async () => {
      order.push('begins');
      await new Promise((resolve) => setImmediate(resolve));
      order.push('ends');
    };
    const { dunning } = await handlersOf(local, { ...engine, told: tenant.told, now, onStanding: slow });
    await Promise.all([1, 2, 3].map(() => dunning.checkCustomer(tenant.customerId)));
    expect(order).toEqual(['begins', 'ends', 'begins', 'ends', 'begins', 'ends']);
  });
});
