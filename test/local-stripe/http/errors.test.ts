import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Stripe from 'stripe';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Listening, listen } from '../../../src/server/listen.js';
import { type Bench, openBench } from '../../support/local-stripe.js';

let bench: Bench;
const open: (Listening | Server)[] = [];
beforeEach(async () => {
  bench = await openBench({ config: { maxNetworkRetries: 2 } });
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

describe('errors', () => {
  it('have a class, a code, a parameter and a request id', async () => {
    const { stripe, product } = bench;
    const unknown = stripe.customers.create({ colour: 'red' } as object);
    await expect(unknown).rejects.toMatchObject({
      type: 'StripeInvalidRequestError',
      statusCode: 400,
      code: 'parameter_unknown',
      param: 'colour',
      requestId: expect.stringMatching(/^req_\w{14}$/),
      message: expect.stringContaining('Received unknown parameter: colour'),
    });
    const nested = stripe.subscriptions.create({
      customer: 'cus_x',
      items: [{ price: 'p', weight: 3 }],
    } as never);
    await expect(nested).rejects.toMatchObject({ code: 'parameter_unknown', param: 'items[0][weight]' });
    await expect(stripe.subscriptions.create({ items: [] })).rejects.toMatchObject({
      code: 'parameter_missing',
      param: 'customer',
    });
    const empty = stripe.products.create({ name: '' });
    await expect(empty).rejects.toMatchObject({ code: 'parameter_invalid_empty', param: 'name' });
    const word = stripe.prices.create({
      currency: 'usd',
      product: product.id,
      unit_amount: 1.5,
      recurring: { interval: 'month' },
    });
    await expect(word).rejects.toMatchObject({ code: 'parameter_invalid_integer', param: 'unit_amount' });
    await expect(stripe.customers.retrieve('cus_none')).rejects.toMatchObject({
      statusCode: 404,
      code: 'resource_missing',
      param: 'id',
      message: "No such customer: 'cus_none'",
    });
  });

  it('say what the local Stripe does not do', async () => {
    const { stripe, product } = bench;
    const calls = [
      stripe.customers.create({ tax: { validate_location: 'deferred' } }),
      stripe.prices.create({
        currency: 'eur',
        product: product.id,
        unit_amount: 1,
        recurring: { interval: 'month' },
      }),
      stripe.customers.search({ query: "name~'Ada'" }),
      ...['pm_card_bypassPending', 'pm_card_createDispute', 'pm_card_toString'].map((card) =>
        bench.customer(card),
      ),
      bench.local.client({ apiVersion: '2020-08-27' as never }).customers.list(),
      stripe.customers.list({}, { stripeAccount: 'acct_1' }),
    ];
    for (const call of calls) {
      await expect(call).rejects.toMatchObject({
        statusCode: 400,
        message: expect.stringContaining('not supported by the local Stripe'),
      });
    }
  });

  it('of an unknown path is a 404', async () => {
    await expect(bench.stripe.coupons.list()).rejects.toMatchObject({
      statusCode: 404,
      message: 'Unrecognized request URL (GET: /v1/coupons).',
    });
  });

  it.each([
    ['no key', '', 'You did not provide an API key.'],
    ['a key for curl -u', `Basic ${btoa('sk_test_1:')}`, 'Authorization: Bearer'],
    ['a live key', 'Bearer sk_live_1', 'takes keys that start with sk_test_'],
  ])('with %s is a 401', async (_what, authorization, message) => {
    const response = await bench.local.fetch('http://local/v1/customers', {
      headers: authorization ? { authorization } : {},
    });
    expect(response.status).toBe(401);
    const body = await response.text();
    expect(body).toContain(message);
    expect(body).not.toContain('sk_live_1');
  });

  it('is none for a field that one of a list does not have', async () => {
    const { id } = await bench.monthly(2_900);
    const { data } = await bench.stripe.prices.list({ expand: ['data.tiers'] });
    expect(data.find((price) => price.id === id)).not.toHaveProperty('tiers');
  });

  it('of expansion', async () => {
    const { stripe } = bench;
    const { id } = await bench.customer();
    await expect(stripe.customers.retrieve(id, { expand: ['nothing'] })).rejects.toThrow(
      'This property cannot be expanded (nothing).',
    );
    await expect(stripe.customers.retrieve(id, { expand: ['a.b.c.d.e'] })).rejects.toThrow(
      'more than 4 levels',
    );
    const made = stripe.customers.create({}, {});
    expect((await made).lastResponse.statusCode).toBe(200);
    const count = (await stripe.customers.list({ limit: 100 })).data.length;
    await expect(stripe.customers.create({ expand: ['nothing'] })).rejects.toThrow('cannot be expanded');
    expect((await stripe.customers.list({ limit: 100 })).data).toHaveLength(count);
  });
});

describe('pages', () => {
  it('are walked by the SDK, forward and back', async () => {
    const { stripe } = bench;
    const made: string[] = [];
    for (let n = 0; n < 25; n += 1) made.unshift((await stripe.products.create({ name: `P${n}` })).id);
    made.push(bench.product.id);
    const all: string[] = [];
    for await (const { id } of stripe.products.list({ limit: 10 })) all.push(id);
    expect(all).toEqual(made);
    expect(
      (await stripe.products.list({ limit: 3 }).autoPagingToArray({ limit: 7 })).map(({ id }) => id),
    ).toEqual(made.slice(0, 7));
    const back: string[] = [];
    for await (const { id } of stripe.products.list({ limit: 10, ending_before: made[20] ?? '' }))
      back.push(id);
    expect(back.sort()).toEqual(made.slice(0, 20).sort());
  });

  it('of search go on too', async () => {
    const quick = await openBench({ searchLagSeconds: 0 });
    for (let n = 0; n < 12; n += 1) await quick.stripe.customers.create({ metadata: { tenant: 'acme' } });
    const found: string[] = [];
    for await (const { id } of quick.stripe.customers.search({
      query: "metadata['tenant']:'acme'",
      limit: 5,
    }))
      found.push(id);
    expect(new Set(found).size).toBe(12);
  });

  it('of search lag behind', async () => {
    let now = Date.parse('2025-11-01');
    const lagging = await openBench({ now: () => new Date(now) });
    await lagging.stripe.customers.create({ email: 'ada@example.com' });
    const search = async () =>
      (await lagging.stripe.customers.search({ query: "email:'ada@example.com'" })).data.length;
    expect(await search()).toBe(0);
    now += 60_000;
    expect(await search()).toBe(1);
  });

  it('show ten lines of an invoice and list them all', async () => {
    const { stripe } = bench;
    const { id: customer } = await bench.customer();
    for (let n = 1; n <= 12; n += 1) await stripe.invoiceItems.create({ customer, amount: 100 * n });
    const { id = '', lines } = await stripe.invoices.create({
      customer,
      pending_invoice_items_behavior: 'include',
    });
    expect([lines.data.length, lines.has_more]).toEqual([10, true]);
    const all = await stripe.invoices.listLineItems(id).autoPagingToArray({ limit: 100 });
    expect(all.map(({ amount }) => amount)).toEqual(Array.from({ length: 12 }, (_, n) => 100 * (n + 1)));
  });
});

describe('a dropped connection', () => {
  it.each(['lost_request', 'lost_answer'] as const)(
    'is tried again under the same key: %s, done once',
    async (fault) => {
      let drops = 2;
      bench.local.faults = ({ method }) => (method === 'POST' && drops-- > 0 ? fault : undefined);
      await bench.stripe.customers.create({ email: 'once@example.com' });
      bench.local.faults = () => undefined;
      expect((await bench.stripe.customers.list({ email: 'once@example.com' })).data).toHaveLength(1);
    },
  );

  it('over HTTP too', async () => {
    const inner = await listen(bench.local);
    let drops = 1;
    const outer = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const answer = await fetch(inner.url + request.url, {
        method: request.method ?? 'GET',
        headers: Object.fromEntries(
          Object.entries(request.headers).filter(
            ([name]) => !/^(host|connection|content-length)$/.test(name),
          ),
        ) as Record<string, string>,
        ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
      });
      // The call was carried out, and its answer is lost.
      if (drops-- > 0) request.socket.destroy();
      else response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
    });
    outer.listen(0, '127.0.0.1');
    await once(outer, 'listening');
    open.push(inner, outer);
    const stripe = new Stripe('sk_test_x', {
      host: '127.0.0.1',
      port: (outer.address() as AddressInfo).port,
      protocol: 'http',
    });
    await stripe.customers.create({ email: 'once@example.com' });
    expect((await bench.stripe.customers.list({ email: 'once@example.com' })).data).toHaveLength(1);
  });

  it('or a refusal has the class that Stripe’s has', async () => {
    const stripe = bench.local.client({ maxNetworkRetries: 0 });
    bench.local.faults = () => 'rate_limited';
    await expect(stripe.customers.create()).rejects.toMatchObject({
      type: 'StripeRateLimitError',
      code: 'rate_limit',
    });
    bench.local.faults = () => 'unavailable';
    await expect(stripe.customers.create()).rejects.toMatchObject({
      type: 'StripeAPIError',
      statusCode: 503,
    });
    bench.local.faults = () => 'lost_request';
    await expect(stripe.customers.create()).rejects.toMatchObject({ type: 'StripeConnectionError' });
  });
});
