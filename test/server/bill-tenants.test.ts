import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { StripeBillingManager } from '../../src/billing/billing-manager.js';
import { ensureCatalogue } from '../../src/billing/catalogue.js';
import { createLocalStripe } from '../../src/local-stripe/create-local-stripe.js';
import { dayOf } from '../../src/period.js';
import { billTenants } from '../../src/server/bill-tenants.js';
import type { Service } from '../../src/service.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { eventOf, storeBatch } from '../support/events.js';

let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
});
afterAll(() => engine.close());

const on = <Client>(client: Client): Service<Client> => ({ mode: 'embedded', client, address: '' });

describe('billTenants()', () => {
  it('reports what was used on the days that are over, in its first round', async () => {
    const stripe = createLocalStripe().client();
    const { meterId, ...catalogue } = await ensureCatalogue(stripe);
    const billing = new StripeBillingManager(stripe, { catalogue: { meterId, ...catalogue } });
    const customer = await billing.createCustomer({
      tenantId: 'acme-corp',
      email: 'a@example.com',
      name: 'A',
    });
    const yesterday = new Date(Date.now() - 86_400_000);
    const used = [yesterday, yesterday, new Date()].map((timestamp) => eventOf({ timestamp }, new Date()));
    await storeBatch(engine.clickhouse, used);

    const { clickhouse, redis } = engine;
    const running = await billTenants({ clickhouse: on(clickhouse), redis: on(redis), stripe: on(stripe) });
    onTestFinished(() => running?.close());
    const day = Date.parse(dayOf(yesterday)) / 1_000;
    const reported = async () => {
      const period = { start_time: day, end_time: day + 2 * 86_400 };
      const { data } = await stripe.billing.meters.listEventSummaries(meterId, { customer, ...period });
      return data.map(({ aggregated_value }) => aggregated_value);
    };
    await expect.poll(reported, { timeout: 20_000 }).toEqual([2]);
  });

  it('is not there where one of its services is off', async () => {
    const { clickhouse, redis } = engine;
    const stripe: Service<never> = { mode: 'off', skip: 'OFFLINE=true' };
    expect(await billTenants({ clickhouse: on(clickhouse), redis: on(redis), stripe })).toBeUndefined();
  });
});
