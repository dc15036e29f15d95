/** 200 faults of every class, as they come about: what failed, was done twice, or by hand elsewhere. */
import { METER_EVENT_NAME } from '../../src/billing/catalogue.js';
import { dayOf } from '../../src/period.js';
import type { PlanName } from '../../src/plans.js';
import { at } from '../support/local-stripe.js';
import type { Seeded } from '../support/seeded.js';
import type { World } from './reconciliation-world.js';

const names = (word: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${word}-${index + 1}`);

const busy = names('busy', 8);
const forgotten = names('forgotten', 3);
const unpaid = names('unpaid', 2);

/** Lives through November and December up to the 20th. @returns a difference for each fault */
export async function seedFaults(world: World, random: Seeded): Promise<string[]> {
  const faults: string[] = [];
  for (const tenant of [...busy, ...forgotten, ...unpaid]) await world.join(tenant);
  await november(world, faults);
  await world.advance('2025-12-01T00:00:00Z');
  await world.sync('2025-11');
  await chargedTwice(world, faults);
  await world.advance('2025-12-05T12:00:00Z');
  await newTenants(world, faults);
  await world.advance('2025-12-20T10:00:00Z');
  await lateUsage(world, random, faults);
  await faultyDays(world, random, faults);
  await doubles(world, faults);
  await withoutSubscription(world, faults);
  return faults;
}

const itemsOf = async ({ stripe, catalogue, subscriptionOf }: World, tenant: string, plan: PlanName) => {
  const { items } = await stripe.subscriptions.retrieve(subscriptionOf(tenant));
  const { basePriceId, usagePriceId } = catalogue.plans[plan];
  return items.data.map(({ id, price }) => ({
    id,
    price: price.recurring?.usage_type === 'metered' ? usagePriceId : basePriceId,
  }));
};

/** So many base fees from the next month on. */
async function takeQuantity(world: World, tenant: string, quantity: number): Promise<void> {
  const [base] = await itemsOf(world, tenant, 'starter');
  await world.stripe.subscriptions.update(world.subscriptionOf(tenant), {
    items: [{ ...base, quantity }],
    proration_behavior: 'none',
  });
}

/** A second subscription. */
async function subscribeAgain(world: World, tenant: string, plan: PlanName, trial_period_days?: number) {
  const { stripe, catalogue, billing } = world;
  const { basePriceId, usagePriceId } = catalogue.plans[plan];
  return stripe.subscriptions.create({
    customer: (await billing.findCustomer(tenant)) ?? '',
    items: [{ price: basePriceId }, { price: usagePriceId }],
    metadata: { tenant_id: tenant, plan },
    ...(world.now() < new Date('2025-12-01') && { billing_cycle_anchor: at('2025-12-01') }),
    ...(trial_period_days && { trial_period_days }),
  });
}

async function november(world: World, faults: string[]): Promise<void> {
  for (const { customerId } of await customersOf(world, unpaid))
    world.local.failCard({
      customer: customerId,
      from: new Date('2025-11-30'),
      until: new Date('2026-02-01'),
    });
  await world.advance('2025-11-10T12:00:00Z');
  for (const tenant of busy) {
    await world.use(tenant, { '2025-11-03T12:00:00Z': 9_000 });
    // Subscribed by mistake and cancelled; nobody gave the fee back.
    const { id } = await subscribeAgain(world, tenant, 'pro');
    await world.stripe.subscriptions.cancel(id);
    faults.push(`invoice extra ${tenant} Remaining time on pro after 2025-11-10 from 2025-11-10`);
  }
  await world.advance('2025-11-16T09:00:00Z');
  for (const tenant of forgotten) {
    // Upgraded by somebody who left the prorations out.
    await world.stripe.subscriptions.update(world.subscriptionOf(tenant), {
      items: await itemsOf(world, tenant, 'pro'),
      proration_behavior: 'none',
      metadata: { plan: 'pro' },
    });
    await world.record(tenant, '2025-11-16', { plan: 'pro' });
    faults.push(`invoice missing ${tenant} Unused time on starter after 2025-11-16 from 2025-11-16`);
    faults.push(`invoice missing ${tenant} Remaining time on pro after 2025-11-16 from 2025-11-16`);
  }
  for (const tenant of busy.slice(0, 4)) {
    await takeQuantity(world, tenant, 2);
    faults.push(`invoice amount ${tenant} starter base fee from 2025-12-01`);
  }
}

async function chargedTwice(world: World, faults: string[]): Promise<void> {
  for (const tenant of busy.slice(0, 4)) await takeQuantity(world, tenant, 1);
  for (const tenant of busy.slice(4)) {
    const { id } = await subscribeAgain(world, tenant, 'starter');
    await world.stripe.subscriptions.cancel(id);
    faults.push(`invoice duplicate ${tenant} starter base fee from 2025-12-01`);
  }
}

async function newTenants(world: World, faults: string[]): Promise<void> {
  const { billing, stripe } = world;
  // Our record of them was lost.
  for (const tenantId of names('unknown', 4)) {
    const customerId = await world.customer(tenantId);
    await billing.createSubscription({ tenantId, customerId, planType: 'pro', trialDays: 0 });
    faults.push(`subscription extra ${tenantId}`);
  }
  const deleted = names('deleted', 4);
  const cancelled = names('cancelled', 5);
  for (const tenant of [...deleted, ...cancelled]) await world.join(tenant, 'pro', { trialDays: 30 });
  // Those who owe are the dunning's, and no difference.
  for (const tenant of names('overdue', 2))
    await world.join(tenant, 'pro', { trialDays: 5, card: 'pm_card_chargeCustomerFail' });
  const upgraded = names('upgraded', 5);
  for (const tenant of upgraded) await world.join(tenant);

  await world.advance('2025-12-10T10:00:00Z');
  for (const tenant of deleted) {
    await world.record(tenant, world.now(), { plan: 'pro', state: 'deleted' });
    faults.push(`subscription extra ${tenant}`);
  }
  // In Stripe's dashboard.
  for (const tenant of cancelled) await stripe.subscriptions.cancel(world.subscriptionOf(tenant));
  // A process was killed before it wrote down the new plan.
  for (const tenant of upgraded)
    await billing.changePlan({ subscriptionId: world.subscriptionOf(tenant), planType: 'pro' });
  for (const tenant of [...cancelled, ...upgraded]) faults.push(`subscription state ${tenant}`);
}

/** After Stripe's invoice, and before and after ours. */
async function lateUsage(world: World, random: Seeded, faults: string[]): Promise<void> {
  for (const tenant of busy) {
    const before = { '2025-11-20T12:00:00Z': 1 + random.below(3_000) };
    await world.use(tenant, before, '2025-12-02T12:00:00Z');
    await world.use(tenant, { '2025-11-21T12:00:00Z': 1 + random.below(3_000) }, '2025-12-10T12:00:00Z');
    // Once on November's invoice, and once on December's.
    for (let month = 1; month <= 2; month += 1) faults.push(`usage late ${tenant} 2025-11-01`);
  }
}

const CLASSES = ['missing', 'extra', 'duplicate', 'amount'] as const;

/** 112 days that stand otherwise at the meter. */
async function faultyDays(world: World, random: Seeded, faults: string[]): Promise<void> {
  const days = Array.from({ length: 19 }, (_, index) => dayOf(new Date(Date.UTC(2025, 11, index + 1))));
  const plan = new Map<string, { used: string[]; unused: string[] }>();
  for (const tenant of busy) {
    const shuffled = random.shuffle([...days]);
    const [used, unused] = [shuffled.slice(0, 14), shuffled.slice(14)];
    const usage = used.map((day) => [`${day}T08:00:00Z`, 100 + random.below(900)]);
    await world.use(tenant, Object.fromEntries(usage));
    plan.set(tenant, { used, unused });
  }
  await world.sync('2025-12');
  const totals = new Map(
    (await world.dailyUsage('2025-12')).map(({ tenant_id, date, query_count }) => [
      `${tenant_id} ${date}`,
      query_count,
    ]),
  );
  let next = 0;
  for (const { tenant, customerId } of await customersOf(world, busy)) {
    const { used = [], unused = [] } = plan.get(tenant) ?? {};
    for (let fault = 0; fault < 14; fault += 1, next += 1) {
      const kind = CLASSES[next % CLASSES.length] ?? 'amount';
      const day = (kind === 'extra' ? unused.pop() : used.pop()) ?? '';
      const total = totals.get(`${tenant} ${day}`) ?? 0;
      faults.push(`usage ${kind} ${tenant} ${day}`);
      if (kind === 'missing') await takeBack(world, `${customerId}:${day}:1`);
      else {
        const times = 2 + random.below(3);
        const wrong =
          kind === 'duplicate' ? total * times : kind === 'extra' ? 50 : total + 1 + random.below(total - 1);
        await report(world, customerId, day, wrong);
      }
    }
  }
}

const takeBack = ({ stripe }: World, identifier: string) =>
  stripe.billing.meterEventAdjustments.create({
    event_name: METER_EVENT_NAME,
    type: 'cancel',
    cancel: { identifier },
  });

/** By another sender, which knows nothing of revisions. */
const report = ({ stripe }: World, customer: string, day: string, value: number) =>
  stripe.billing.meterEvents.create({
    event_name: METER_EVENT_NAME,
    payload: { stripe_customer_id: customer, value: String(value) },
    timestamp: at(`${day}T23:59:59Z`),
  });

/** The manager would not make them: it looks for what is there. */
async function doubles(world: World, faults: string[]): Promise<void> {
  for (const tenant of busy) {
    await subscribeAgain(world, tenant, 'starter', 14);
    for (let copy = 1; copy <= 2; copy += 1)
      await world.stripe.customers.create({
        test_clock: await world.clock.place(),
        metadata: { tenant_id: tenant },
      });
    for (let fault = 1; fault <= 3; fault += 1) faults.push(`subscription duplicate ${tenant}`);
  }
}

/** The call to Stripe failed when they signed up. */
async function withoutSubscription(world: World, faults: string[]): Promise<void> {
  for (const tenant of names('signed-up', 4)) {
    await world.customer(tenant);
    await world.record(tenant, world.now());
    faults.push(`subscription missing ${tenant}`);
  }
  for (const tenant of names('trying', 4)) {
    await world.customer(tenant, null);
    await world.record(tenant, world.now(), { trialEndsAt: new Date('2026-01-03') });
    faults.push(`subscription missing ${tenant}`);
  }
}

async function customersOf({ billing }: World, tenants: readonly string[]) {
  const found: { tenant: string; customerId: string }[] = [];
  for (const tenant of tenants)
    found.push({ tenant, customerId: (await billing.findCustomer(tenant)) ?? '' });
  return found;
}
