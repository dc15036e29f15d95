/** The usual names that the examples of the docstrings take for granted, on embedded services. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Stripe from 'stripe';
import * as billingPart from '../../src/billing/index.js';
import * as library from '../../src/index.js';
import * as notebookPart from '../../src/notebook/index.js';
import type { Service } from '../../src/service.js';
import { TenantLifecycle } from '../../src/tenants/lifecycle.js';

/** What an example can import. */
export const exported = { ...library, ...billingPart, ...notebookPart };

export type Prelude = Awaited<ReturnType<typeof openPrelude>>['names'];

/** The sample month, and acme-corp's November lived at the local Stripe. */
export async function openPrelude() {
  const folder = mkdtempSync(join(tmpdir(), 'examples-'));
  const config = library.readConfig({ PATH: process.env.PATH });
  const services = await library.openServices({ workspace: 'examples', dataDir: folder, config });
  const all = library.allOf({
    clickhouse: services.clickhouse,
    redis: services.redis,
    stripe: services.stripe,
  });
  if (all.mode === 'off') throw new Error(all.skip);
  const { clickhouse, redis, stripe } = all.client;
  await library.createTables(clickhouse);
  const sample = await library.loadSampleMonth(clickhouse, { events: 105_000 });
  const tenants = sample.tenants.filter(({ tenantId }) => tenantId === 'acme-corp');
  const books = await billingPart.billSampleMonth(clickhouse, stripe, { tenants });

  const tenantId = 'acme-corp';
  const lifecycle = await TenantLifecycle.open(redis, clickhouse);
  await lifecycle.transition({ tenantId, event: 'sign_up', plan: 'starter', by: 'example' });
  await lifecycle.transition({ tenantId, event: 'pay', by: 'example' });
  await lifecycle.moveLog();
  const now = library.SAMPLE_NOW;
  const limits = library.PLANS.starter.dailyLimits;
  const notifier = library.consoleNotifier;
  const keys = new library.ApiKeys();
  const gate = library.redisQuotaGate(redis);
  const tracker = new library.UsageTracker(clickhouse, { fallbackFile: join(folder, 'usage.jsonl') });
  const queue = new billingPart.WebhookQueue(redis);
  const app = library.createApp({
    keys,
    gate,
    tracker,
    clickhouse: services.clickhouse,
    limitsOf: () => limits,
  });
  const server = await library.listen(app);
  const secret = 'whsec_example';
  const body = JSON.stringify({
    ...{ id: 'evt_1', object: 'event', type: 'invoice.paid', created: 1_764_547_200 },
    data: { object: { id: 'in_1', object: 'invoice' } },
  });
  const names = {
    ...{ services, clickhouse, redis, stripe, books, billing: books.billing, catalogue: books.catalogue },
    ...{ tenantId, tenantIds: [tenantId], now, limits, month: library.SAMPLE_MONTH, notifier, randomUUID },
    // The checks of the whole service let months pass: here they find none.
    platform: { service: { mode: 'off', skip: 'no example starts it' } as Service<billingPart.Platform> },
    ...{ keys, gate, tracker, queue, app, server, secret, body },
    headers: { authorization: `Bearer ${keys.issue(tenantId)}`, 'content-type': 'application/json' },
    signature: Stripe.webhooks.generateTestHeaderString({ payload: body, secret }),
    usedToday: library.usedTodayFrom(clickhouse),
    request: { tenantId, now: new Date(now.getTime() - 1), limits },
    invoice: (await library.makeCostInvoice(clickhouse, { tenantId, month: '2025-11' })).invoice,
    events: [
      library.createEvent(
        { tenantId, model: 'gpt-4o', tokensInput: 170, tokensOutput: 12 },
        { priceTables: library.PRICE_TABLES, now },
      ),
    ],
    dunning: new billingPart.DunningManager(stripe, {
      ...{ redis, notifier, ledger: await billingPart.DunningLedger.open(clickhouse) },
    }),
    customerId: await books.billing.customerFor({ tenantId }),
    ...{ email: 'billing@acme.example', name: 'Acme' },
    question: 'What is a meter?',
    model: { complete: async (question: string) => ({ in: question.length, out: 12, text: 'A counter.' }) },
  };
  return {
    names,
    async close() {
      await tracker.close();
      await queue.close();
      await server.close();
      await services.close();
      rmSync(folder, { recursive: true });
    },
  };
}
