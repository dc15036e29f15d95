import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { ROUTES } from '../../../src/local-stripe/resources/routes.js';
import { type Bench, openBench } from '../../support/local-stripe.js';

let bench: Bench;
let ids: string[] = [];
beforeAll(async () => {
  bench = await openBench();
  const { id: customer } = await bench.customer();
  const price = await bench.monthly(1_000);
  const sub = await bench.stripe.subscriptions.create({ customer, items: [{ price: price.id }] });
  ids = [
    customer,
    price.id,
    sub.id,
    sub.latest_invoice as string,
    bench.clock.id,
    bench.meter.id,
    '..',
    '%00',
    'ä',
  ];
});

const authorization = 'Bearer sk_test_x';
const FORM = 'application/x-www-form-urlencoded';

/** The state without what each call leaves: ids given out, and answers to keys. */
const state = () => JSON.stringify((JSON.parse(bench.local.snapshot()) as { changes: unknown[] }).changes);

/** Sends a body, and checks that a refusal has the envelope and changed nothing. */
async function refused(path: string, init: RequestInit) {
  const before = state();
  const response = await bench.local.fetch(`http://local${path}`, {
    ...init,
    headers: { authorization, 'content-type': FORM, ...init.headers },
  });
  const body = (await response.json()) as { error?: { type?: string; message?: string } };
  expect(response.headers.get('request-id')).toMatch(/^req_/);
  if (response.ok) return response.status;
  expect(response.status, JSON.stringify(body)).toBeLessThan(500);
  expect(body.error?.type).toMatch(/_error$/);
  expect(body.error?.message).toBeTruthy();
  if (response.status !== 402) expect(state()).toBe(before);
  return response.status;
}

describe('a body that makes no sense', () => {
  it.each([
    ['bad nesting', 'items[0[price]=1'],
    ['nesting without end', `a${'[b]'.repeat(500)}=1`],
    ['a value that is also a table', 'items=1&items[0][price]=2'],
    ['the same twice', 'customer=a&customer=b'],
    ['a prototype', '__proto__[polluted]=1'],
    ['a constructor', 'constructor[prototype][polluted]=1'],
    ['broken escapes', 'customer=%zz'],
    ['no UTF-8', 'customer=%ff%fe'],
    ['thousands of fields', Array.from({ length: 3_000 }, (_, n) => `a${n}=1`).join('&')],
    ['a huge number', `customer=${'9'.repeat(400)}&trial_period_days=${'9'.repeat(400)}`],
    ['a negative quantity', 'customer=x&items[0][price]=p&items[0][quantity]=-1'],
    ['a list with a hole', 'customer=x&items[1][price]=p'],
    ['a null byte', 'customer=%00'],
    ['nothing', ''],
  ])('%s is refused', async (_what, body) => {
    expect(await refused('/v1/subscriptions', { method: 'POST', body })).toBe(400);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('of 10 MB is refused without being kept', async () => {
    const body = `description=${'x'.repeat(10_000_000)}`;
    expect(await refused('/v1/customers', { method: 'POST', body })).toBe(413);
  });

  it.each(['application/json', 'text/plain', 'multipart/form-data; boundary=x'])(
    'of the type %s is refused',
    async (type) => {
      const init = { method: 'POST', body: '{"email":"a@example.com"}', headers: { 'content-type': type } };
      expect(await refused('/v1/customers', init)).toBe(400);
    },
  );

  it.each([
    '{',
    '[]',
    'null',
    '"x"',
    '1e999',
    '{"event_name":1}',
    '{"payload":{"a":{"b":1}}}',
    `{"a":${'['.repeat(9_000)}`,
  ])('of v2, %.20s, is refused', async (body) => {
    const init = { method: 'POST', body, headers: { 'content-type': 'application/json' } };
    expect(await refused('/v2/billing/meter_events', init)).toBe(400);
  });
});

describe('random requests', () => {
  it('are answered, or refused with the envelope and without a trace', async () => {
    const text = fc.oneof(
      fc.constantFrom(
        '',
        '0',
        '-1',
        '1e5',
        'NaN',
        'null',
        'true',
        'inf',
        '99999999999999999999',
        'pm_card_visa',
        'usd',
        'day',
      ),
      fc.string({ maxLength: 20 }),
      fc.nat().map(String),
    );
    const names = fc.constantFrom(
      ...new Set(ROUTES.flatMap(({ params }) => Object.keys(params.shape))),
      'items[0]',
      'items[0][price]',
      'items[0][id]',
      'items[]',
      'recurring[interval]',
      'metadata[a]',
      'metadata',
      'tiers[0][up_to]',
      'expand[]',
      'created[gte]',
    );
    const request = fc.record({
      route: fc.constantFrom(...ROUTES),
      id: fc.nat(),
      fields: fc.array(fc.tuple(names, text), { maxLength: 6 }),
    });
    const seed = Number(process.env.FC_SEED) || Date.now() % 2 ** 31;
    console.log(`fuzz seed ${seed}`);
    await fc.assert(
      fc.asyncProperty(request, async ({ route, id, fields }) => {
        // Advancing the clock is work that goes on after the answer.
        fc.pre(!route.path.endsWith('/advance'));
        const one = ids[id % ids.length] ?? '';
        const path = route.path.replace(/:\w+/g, one);
        const encoded = new URLSearchParams(fields).toString();
        const posts = route.method === 'POST';
        const v2 = route.path.startsWith('/v2/');
        await refused(posts ? path : `${path}?${encoded}`, {
          method: route.method,
          ...(posts && { body: v2 ? JSON.stringify(Object.fromEntries(fields)) : encoded }),
          ...(v2 && { headers: { 'content-type': 'application/json' } }),
        });
      }),
      { numRuns: 1_500, seed },
    );
  });
});
