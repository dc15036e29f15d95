import { readFileSync } from 'node:fs';
import Stripe from 'stripe';
import { afterAll, describe, expect, it } from 'vitest';
import { createLocalStripe } from '../../src/local-stripe/create-local-stripe.js';
import { ROUTES } from '../../src/local-stripe/resources/routes.js';
import { type Listening, listen } from '../../src/server/listen.js';
import { tour } from './tour.js';

type Shapes = { types: Record<string, Record<string, string>> };
const { types } = JSON.parse(
  readFileSync(new URL('fixtures/stripe-shapes.json', import.meta.url), 'utf8'),
) as Shapes;

/** The type of each `object` in the list of shapes. */
const TYPE_OF: Record<string, string> = {
  customer: 'Customer',
  product: 'Product',
  price: 'Price',
  'billing.meter': 'Meter',
  'billing.meter_event': 'MeterEvent',
  'billing.meter_event_adjustment': 'MeterEventAdjustment',
  'billing.meter_event_summary': 'MeterEventSummary',
  payment_method: 'PaymentMethod',
  subscription: 'Subscription',
  subscription_item: 'SubscriptionItem',
  plan: 'Plan',
  invoice: 'Invoice',
  line_item: 'InvoiceLineItem',
  invoiceitem: 'InvoiceItem',
  invoice_payment: 'InvoicePayment',
  payment_intent: 'PaymentIntent',
  charge: 'Charge',
  'test_helpers.test_clock': 'TestClock',
  webhook_endpoint: 'WebhookEndpoint',
  customer_balance_transaction: 'CustomerBalanceTransaction',
};

const servers: Listening[] = [];
afterAll(() => Promise.all(servers.map((server) => server.close())));

/** A local Stripe whose answers are kept, with the route of each. */
function recorded() {
  const local = createLocalStripe({ now: () => new Date('2025-11-01') });
  const answers: { call: string; body: unknown }[] = [];
  const fetch = async (input: Request | URL | string, init?: RequestInit) => {
    const request = new Request(input, init);
    const { pathname } = new URL(request.url);
    const answer = await local.fetch(request);
    const path = pathname.split('/');
    const route = ROUTES.find(
      (one) =>
        one.method === request.method &&
        one.path.split('/').length === path.length &&
        one.path.split('/').every((part, index) => part.startsWith(':') || part === path[index]),
    );
    answers.push({ call: route?.call ?? pathname, body: await answer.clone().json() });
    return answer;
  };
  return { local, answers, fetch };
}

/** Keys that do not fit their type: `+` is not in it, `-` is missing. */
function misfits(value: unknown, found = new Set<string>()): Set<string> {
  if (typeof value !== 'object' || value === null) return found;
  const { object, deleted } = value as { object?: string; deleted?: boolean };
  const type = !deleted && object ? TYPE_OF[object] : undefined;
  if (type) {
    const shape = types[type] ?? {};
    const required = Object.keys(shape).filter((key) => !shape[key]?.startsWith('?'));
    for (const key of Object.keys(value)) if (!(key in shape)) found.add(`${type} +${key}`);
    for (const key of required) if (!(key in value)) found.add(`${type} -${key}`);
  }
  for (const inner of Object.values(value)) misfits(inner, found);
  return found;
}

describe('the SDK’s methods', () => {
  it('all answer in the process, with the fields of their types', async () => {
    const { local, answers, fetch } = recorded();
    const stripe = new Stripe('sk_test_x', {
      httpClient: Stripe.createFetchHttpClient(fetch as typeof globalThis.fetch),
    });
    await tour(stripe, local);
    const called = new Set(answers.map(({ call }) => call));
    expect(ROUTES.map(({ call }) => call).filter((call) => !called.has(call))).toEqual([]);
    expect([...misfits(answers.map(({ body }) => body))]).toEqual([]);
    const seen = JSON.stringify(answers);
    expect(Object.keys(TYPE_OF).filter((object) => !seen.includes(`"object":"${object}"`))).toEqual([]);
  });

  it('all answer over HTTP', async () => {
    const { local, answers, fetch } = recorded();
    const server = await listen({ fetch });
    servers.push(server);
    const { hostname: host, port } = new URL(server.url);
    const stripe = new Stripe('sk_test_x', { host, port: Number(port), protocol: 'http' });
    await tour(stripe, local);
    const called = new Set(answers.map(({ call }) => call));
    expect(ROUTES.map(({ call }) => call).filter((call) => !called.has(call))).toEqual([]);
  });
});
