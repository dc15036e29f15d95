import { beforeEach, describe, expect, it } from 'vitest';
import { NoCatalogueError } from '../../src/billing/billing-errors.js';
import { ensureCatalogue, METER_EVENT_NAME } from '../../src/billing/catalogue.js';
import { createLocalStripe, type LocalStripe } from '../../src/local-stripe/create-local-stripe.js';
import { parseUsd } from '../../src/money.js';
import { PLANS } from '../../src/plans.js';

let local: LocalStripe;
beforeEach(() => {
  local = createLocalStripe({ seed: 'catalogue' });
});

const dearer = { ...PLANS, pro: { ...PLANS.pro, overagePerQuery: parseUsd('0.00085') } };

/** The calls from now on that change something. */
function writesTo(stripe: LocalStripe): string[] {
  const writes: string[] = [];
  stripe.faults = ({ method, path }) => {
    if (method !== 'GET') writes.push(`${method} ${path}`);
    return undefined;
  };
  return writes;
}

describe('ensureCatalogue()', () => {
  it('makes a meter whose newest event of a day counts, and two prices for each plan', async () => {
    const stripe = local.client();
    const { meterId, plans, changes } = await ensureCatalogue(stripe);
    expect(changes).toHaveLength(1 + 3 * 3);
    expect(await stripe.billing.meters.retrieve(meterId)).toMatchObject({
      event_name: METER_EVENT_NAME,
      event_time_window: 'day',
      default_aggregation: { formula: 'sum' },
    });
    expect(await stripe.prices.retrieve(plans.pro.basePriceId)).toMatchObject({ unit_amount: 9_900 });
    const usage = await stripe.prices.retrieve(plans.pro.usagePriceId, { expand: ['tiers'] });
    expect(usage.tiers?.map((tier) => [tier.up_to, String(tier.unit_amount_decimal)])).toEqual([
      [100_000, '0'],
      [null, '0.08'],
    ]);
  });

  it('changes nothing when it is run again, with other idempotency keys too', async () => {
    const first = await ensureCatalogue(local.client());
    const again = await ensureCatalogue(local.client());
    expect(again).toEqual({ ...first, changes: [] });
  });

  it('that may only read makes nothing, takes a price with other terms, and misses what is not there', async () => {
    const looked = () => ensureCatalogue(local.client(), { plans: dearer, readOnly: true });
    await expect(looked()).rejects.toThrow(new NoCatalogueError(`meter ${METER_EVENT_NAME}`));
    const { meterId, plans } = await ensureCatalogue(local.client());
    const writes = writesTo(local);
    expect(await looked()).toEqual({ meterId, plans, changes: [] });
    expect(writes).toEqual([]);
    await local.client().prices.update(plans.pro.usagePriceId, { active: false });
    await expect(looked()).rejects.toThrow(new NoCatalogueError('price meterbridge_pro_usage'));
  });

  it('makes one of each when two run at once', async () => {
    const [one, other] = await Promise.all([
      ensureCatalogue(local.client()),
      ensureCatalogue(local.client()),
    ]);
    expect(one.plans).toEqual(other.plans);
    expect(one.meterId).toBe(other.meterId);
    expect((await local.client().prices.list({ limit: 100 })).data).toHaveLength(6);
  });

  it('makes a new price for a changed one, archives the old, and finds its way back', async () => {
    const stripe = local.client();
    const first = await ensureCatalogue(stripe);
    const second = await ensureCatalogue(stripe, { plans: dearer });
    expect(second.changes).toEqual([
      'made price meterbridge_pro_usage',
      'archived the old price meterbridge_pro_usage',
    ]);
    expect(await stripe.prices.retrieve(first.plans.pro.usagePriceId)).toMatchObject({
      active: false,
      lookup_key: null,
    });
    expect(second.plans.starter).toEqual(first.plans.starter);
    const third = await ensureCatalogue(stripe);
    expect(third.changes).toHaveLength(2);
    expect(third.plans.pro.usagePriceId).not.toBe(first.plans.pro.usagePriceId);
    expect(await stripe.prices.retrieve(third.plans.pro.usagePriceId)).toMatchObject({ active: true });
    expect((await ensureCatalogue(stripe)).changes).toEqual([]);
  });
});
