import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type Stripe from 'stripe';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { at, type Bench, openBench } from '../../support/local-stripe.js';

let bench: Bench;
const servers: Server[] = [];
beforeEach(async () => {
  bench = await openBench();
});
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A receiver on a port, which answers what `answer` says. */
async function receiver(answer: (body: string, request: IncomingMessage) => number | Promise<number>) {
  const server = createServer(async (request, response) => {
    response.writeHead(await answer(await text(request), request)).end();
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`;
}
const subscribe = async () => {
  const { id: customer } = await bench.customer();
  return bench.stripe.subscriptions.create({ customer, items: [{ price: (await bench.monthly(1_000)).id }] });
};
/** Ids of the events a function receives, until it is stopped. */
function collect(events: string[] = ['*']) {
  const seen: Stripe.Event[] = [];
  bench.local.onWebhook((body) => seen.push(JSON.parse(body) as Stripe.Event), { events });
  return seen;
}

describe('an endpoint over HTTP', () => {
  it('receives signed events that the SDK verifies', async () => {
    const seen: { body: string; signature: string }[] = [];
    const url = await receiver((body, { headers }) => {
      seen.push({ body, signature: String(headers['stripe-signature']) });
      return 200;
    });
    const { secret = '' } = await bench.stripe.webhookEndpoints.create({
      url,
      enabled_events: ['invoice.paid'],
    });
    const { latest_invoice: invoice } = await subscribe();
    await bench.local.settled();
    const events = seen.map(({ body, signature }) =>
      bench.stripe.webhooks.constructEvent(body, signature, secret),
    );
    expect(events).toMatchObject([
      { type: 'invoice.paid', data: { object: { id: invoice } }, pending_webhooks: 1 },
    ]);
    expect(() =>
      bench.stripe.webhooks.constructEvent(`${seen[0]?.body} `, seen[0]?.signature ?? '', secret),
    ).toThrow();
    const kept = await bench.stripe.events.retrieve(events[0]?.id ?? '');
    expect(kept.pending_webhooks).toBe(0);
  });

  it.each([
    ['500', 500],
    ['a redirect', 302],
  ])('is tried again after %s, later and later, for three days of the clock', async (_what, status) => {
    const times: number[] = [];
    const url = await receiver(async () => {
      times.push(
        (await bench.stripe.testHelpers.testClocks.retrieve(bench.clock.id)).frozen_time - at('2025-11-01'),
      );
      return status;
    });
    await bench.stripe.webhookEndpoints.create({ url, enabled_events: ['invoice.paid'] });
    await subscribe();
    await bench.advance('2025-11-10');
    expect(times.slice(0, 5)).toEqual([0, 300, 900, 2_100, 4_500]);
    expect(times.at(-1)).toBe(3 * 86_400);
    const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(Math.max(...waits)).toBeLessThanOrEqual(12 * 3_600);
    expect((await bench.stripe.events.list({ type: 'invoice.paid' })).data).toMatchObject([
      { pending_webhooks: 1 },
    ]);
  });

  it('is not tried again when it is gone in the meantime', async () => {
    let count = 0;
    const url = await receiver(() => {
      count += 1;
      return 500;
    });
    const { id } = await bench.stripe.webhookEndpoints.create({ url, enabled_events: ['invoice.paid'] });
    await subscribe();
    await bench.local.settled();
    await bench.stripe.webhookEndpoints.del(id);
    await bench.advance('2025-11-10');
    expect(count).toBe(1);
  });

  it('shows its secret once, and gets nothing when it is gone', async () => {
    let count = 0;
    const url = await receiver(() => {
      count += 1;
      return 200;
    });
    const made = await bench.stripe.webhookEndpoints.create({ url, enabled_events: ['*'] });
    expect(made.secret).toMatch(/^whsec_/);
    const [listed] = (await bench.stripe.webhookEndpoints.list()).data;
    expect(listed?.id).toBe(made.id);
    expect(listed).not.toHaveProperty('secret');
    await bench.stripe.webhookEndpoints.del(made.id);
    await subscribe();
    await bench.local.settled();
    expect(count).toBe(0);
  });
});

describe('a function', () => {
  it('receives signed events while the clock stands at their time', async () => {
    const seen: [string, number, number][] = [];
    const { secret } = bench.local.onWebhook(
      async (body, signature) => {
        const event = bench.stripe.webhooks.constructEvent(body, signature, secret);
        const { frozen_time: now } = await bench.stripe.testHelpers.testClocks.retrieve(bench.clock.id);
        seen.push([event.type, event.created, now]);
      },
      { events: ['invoice.created', 'invoice.paid'] },
    );
    await subscribe();
    await bench.advance('2025-12-02');
    const [boundary, hour] = [at('2025-12-01'), at('2025-12-01T01:00:00Z')];
    expect(seen).toEqual([
      ['invoice.created', at('2025-11-01'), at('2025-11-01')],
      ['invoice.paid', at('2025-11-01'), at('2025-11-01')],
      ['invoice.created', boundary, boundary],
      ['invoice.paid', hour, hour],
    ]);
  });

  it('may write while its clock waits for it', async () => {
    const { id } = await subscribe();
    bench.local.onWebhook(
      async (body) => {
        const { object } = JSON.parse(body).data;
        await bench.stripe.invoices.update(object.id, { metadata: { seen: 'yes' } });
      },
      { events: ['invoice.created'] },
    );
    await bench.advance('2025-12-02');
    expect(await bench.latestInvoice(id)).toMatchObject({ metadata: { seen: 'yes' }, status: 'paid' });
  });

  it('is tried again when it throws', async () => {
    let tries = 0;
    bench.local.onWebhook(
      () => {
        tries += 1;
        if (tries < 3) throw new Error('not yet');
      },
      { events: ['invoice.paid'] },
    );
    await subscribe();
    await bench.local.settled();
    expect(tries).toBe(1);
    await bench.advance('2025-11-02');
    expect(tries).toBe(3);
  });
});

describe('a delivery plan', () => {
  it('duplicates', async () => {
    const seen = collect(['invoice.paid']);
    bench.local.deliveryPlan = { copies: () => 2 };
    await subscribe();
    await bench.local.settled();
    expect(seen).toHaveLength(2);
    expect(seen[0]?.id).toBe(seen[1]?.id);
  });

  it('loses', async () => {
    const seen = collect();
    bench.local.deliveryPlan = { copies: ({ type }) => (type === 'invoice.paid' ? 0 : 1) };
    await subscribe();
    await bench.local.settled();
    expect(seen.map(({ type }) => type)).not.toContain('invoice.paid');
    expect((await bench.stripe.events.list({ type: 'invoice.paid' })).data).toMatchObject([
      { pending_webhooks: 1 },
    ]);
  });

  it('delays, in the clock’s time', async () => {
    const seen = collect(['invoice.created', 'invoice.paid']);
    bench.local.deliveryPlan = { delaySeconds: ({ type }) => (type === 'invoice.created' ? 7_200 : 0) };
    await subscribe();
    await bench.local.settled();
    expect(seen.map(({ type }) => type)).toEqual(['invoice.paid']);
    await bench.advance('2025-11-01T02:00:00Z');
    expect(seen.map(({ type }) => type)).toEqual(['invoice.paid', 'invoice.created']);
  });

  it('reorders events of the same second', async () => {
    const seen = collect(['customer.subscription.created', 'invoice.created', 'invoice.paid']);
    bench.local.deliveryPlan = { order: (events) => [...events].reverse() };
    await subscribe();
    await bench.local.settled();
    expect(seen.map(({ type }) => type)).toEqual([
      'invoice.paid',
      'invoice.created',
      'customer.subscription.created',
    ]);
    expect(new Set(seen.map(({ created }) => created)).size).toBe(1);
  });
});
