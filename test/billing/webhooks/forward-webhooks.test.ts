import { describe, expect, it, onTestFinished } from 'vitest';
import { webhookForwarder } from '../../../src/billing/webhooks/forward-webhooks.js';
import { verifyWebhookSignature } from '../../../src/billing/webhooks/verify-webhook.js';
import { createLocalStripe } from '../../../src/local-stripe/create-local-stripe.js';
import { listen } from '../../../src/server/listen.js';

const secret = 'whsec_test';

/** A receiver, and the events that it took. */
async function receiver(answers: number[] = []) {
  const taken: string[] = [];
  const server = await listen({
    async fetch(request) {
      const body = Buffer.from(await request.arrayBuffer()).toString();
      const signature = request.headers.get('stripe-signature') ?? undefined;
      const event = verifyWebhookSignature({ body, signature, secret });
      taken.push(`${event.type} ${event.objectId}`);
      return new Response(null, { status: answers.shift() ?? 200 });
    },
  });
  onTestFinished(() => server.close());
  return { to: server.url, taken };
}

describe('webhookForwarder()', () => {
  it('sends what came since, signed and in order, however many', async () => {
    const stripe = createLocalStripe().client();
    const { to, taken } = await receiver();
    await stripe.customers.create({ name: 'before' });
    const forward = await webhookForwarder(stripe, { to, secret, types: ['customer.created'] });
    const ids: string[] = [];
    for (let index = 0; index < 120; index += 1) ids.push((await stripe.customers.create({})).id);
    const [first] = await forward();
    expect(first).toMatchObject({ type: 'customer.created', deliveries: 1, status: 200 });
    expect(taken).toEqual(ids.map((id) => `customer.created ${id}`));
    expect(await forward()).toEqual([]);
    await stripe.customers.create({});
    expect(await forward()).toHaveLength(1);
  });

  it('begins with the first event of an account that had none', async () => {
    const stripe = createLocalStripe().client();
    const { to, taken } = await receiver();
    const forward = await webhookForwarder(stripe, { to, secret });
    await stripe.customers.create({});
    await stripe.products.create({ name: 'Pro' });
    await forward();
    expect(taken.map((text) => text.split(' ')[0])).toEqual(['customer.created', 'product.created']);
  });

  it('sends again what is refused or not answered in time', async () => {
    const stripe = createLocalStripe().client();
    const { to } = await receiver([500, 503]);
    const forward = await webhookForwarder(stripe, { to, secret });
    const silent = await listen({ fetch: () => new Promise<Response>(() => undefined) });
    onTestFinished(() => silent.close());
    const unheard = await webhookForwarder(stripe, { to: silent.url, secret, timeoutMs: 20, tries: 2 });
    await stripe.customers.create({});
    expect(await forward()).toMatchObject([{ deliveries: 3, status: 200 }]);
    expect(await unheard()).toMatchObject([{ deliveries: 2, status: 0 }]);
  });
});
