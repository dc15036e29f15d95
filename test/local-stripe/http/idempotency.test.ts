import { beforeEach, describe, expect, it } from 'vitest';
import { at, type Bench, openBench } from '../../support/local-stripe.js';

let bench: Bench;
let now = 0;
beforeEach(async () => {
  now = Date.parse('2025-11-01');
  bench = await openBench({ now: () => new Date(now) });
});
const customers = async () => (await bench.stripe.customers.list()).data.length;

describe('an idempotency key', () => {
  it('gives the first answer again, marked as replayed', async () => {
    const create = () => bench.stripe.customers.create({ email: 'a@example.com' }, { idempotencyKey: 'k' });
    const [first, second] = [await create(), await create()];
    expect(second).toEqual(first);
    const header = (made: typeof first, name: string) => new Headers(made.lastResponse.headers).get(name);
    expect(header(first, 'idempotent-replayed')).toBeNull();
    expect(header(second, 'idempotent-replayed')).toBe('true');
    expect(header(second, 'idempotency-key')).toBe('k');
    expect(await customers()).toBe(1);
  });

  it('does not fit other parameters, or another path', async () => {
    await bench.stripe.customers.create({ email: 'a@example.com' }, { idempotencyKey: 'k' });
    const others = [
      bench.stripe.customers.create({ email: 'b@example.com' }, { idempotencyKey: 'k' }),
      bench.stripe.products.create({ name: 'x' }, { idempotencyKey: 'k' }),
    ];
    for (const other of others) {
      await expect(other).rejects.toMatchObject({
        type: 'StripeIdempotencyError',
        statusCode: 400,
        message:
          'Keys for idempotent requests can only be used with the same parameters they were first used with.',
      });
    }
  });

  it('fits the same parameters in another order', async () => {
    const post = async (body: string) => {
      const response = await bench.local.fetch('http://localhost/v1/customers', {
        method: 'POST',
        headers: {
          authorization: 'Bearer sk_test_x',
          'idempotency-key': 'order',
          'content-type': 'application/x-www-form-urlencoded',
        },
        body,
      });
      return [response.status, response.headers.get('idempotent-replayed')];
    };
    expect(await post('name=Ada&metadata[a]=1&metadata[b]=2&email=a%40example.com')).toEqual([200, null]);
    expect(await post('email=a@example.com&metadata[b]=2&name=Ada&metadata[a]=1')).toEqual([200, 'true']);
    expect(await post('email=a@example.com&metadata[b]=1&name=Ada&metadata[a]=2')).toEqual([400, null]);
    expect(await customers()).toBe(1);
  });

  it('is forgotten after a day', async () => {
    const create = () => bench.stripe.customers.create({}, { idempotencyKey: 'k' });
    await create();
    now += 86_400_000 - 1_000;
    await create();
    expect(await customers()).toBe(1);
    now += 1_000;
    await create();
    expect(await customers()).toBe(2);
  });

  it('remembers an error of what was carried out, not one of its parameters', async () => {
    const { stripe } = bench;
    const { id: customer } = await bench.customer('pm_card_chargeCustomerFail');
    await stripe.invoiceItems.create({ customer, amount: 900 });
    const { id = '' } = await stripe.invoices.create({ customer, pending_invoice_items_behavior: 'include' });
    const pay = () => stripe.invoices.pay(id, {}, { idempotencyKey: 'pay' });
    for (let n = 0; n < 3; n += 1) await expect(pay()).rejects.toMatchObject({ code: 'card_declined' });
    expect((await stripe.charges.list({ customer })).data).toHaveLength(1);
    const wrong = stripe.products.create({ name: '' }, { idempotencyKey: 'name' });
    await expect(wrong).rejects.toMatchObject({ code: 'parameter_invalid_empty' });
    expect((await stripe.products.create({ name: 'Right' }, { idempotencyKey: 'name' })).name).toBe('Right');
  });

  it('turns away a second call while the first is under way', async () => {
    const quick = bench.local.client({ maxNetworkRetries: 0 });
    const results = await Promise.allSettled([
      quick.customers.create({}, { idempotencyKey: 'k' }),
      quick.customers.create({}, { idempotencyKey: 'k' }),
    ]);
    expect(results[0]?.status).toBe('fulfilled');
    expect(results[1]).toMatchObject({
      reason: {
        type: 'StripeAPIError',
        rawType: 'idempotency_error',
        statusCode: 409,
        code: 'idempotency_key_in_use',
      },
    });
    expect(await customers()).toBe(1);
  });

  it('is retried by the SDK until the first is done', async () => {
    const create = () => bench.stripe.customers.create({}, { idempotencyKey: 'k' });
    const [one, other] = await Promise.all([create(), create()]);
    expect(other.id).toBe(one.id);
  });

  it('has at most 255 characters', async () => {
    const made = bench.stripe.customers.create({}, { idempotencyKey: 'k'.repeat(256) });
    await expect(made).rejects.toThrow('at most 255 characters');
  });
});

describe('a meter event’s identifier', () => {
  const send = (customer: string, identifier: string, params: object = {}) =>
    bench.stripe.billing.meterEvents.create({
      event_name: 'queries',
      payload: { stripe_customer_id: customer, value: '1' },
      identifier,
      ...params,
    });

  it('is taken once within a day, without a code and without a retry', async () => {
    const { id } = await bench.customer();
    await send(id, 'acme:1');
    await expect(send(id, 'acme:1')).rejects.toMatchObject({
      type: 'StripeInvalidRequestError',
      statusCode: 400,
      code: undefined,
      message: 'An event already exists with identifier acme:1.',
      headers: { 'stripe-should-retry': 'false' },
    });
    await bench.advance('2025-11-02');
    expect((await send(id, 'acme:1')).identifier).toBe('acme:1');
  });

  it('may be repeated under the same key', async () => {
    const { id } = await bench.customer();
    const call = () =>
      bench.stripe.billing.meterEvents.create(
        { event_name: 'queries', payload: { stripe_customer_id: id, value: '1' }, identifier: 'acme:1' },
        { idempotencyKey: 'k' },
      );
    expect(await call()).toEqual(await call());
  });

  it('is cancelled within a day', async () => {
    const { id } = await bench.customer();
    await send(id, 'wrong');
    const cancel = () =>
      bench.stripe.billing.meterEventAdjustments.create({
        event_name: 'queries',
        type: 'cancel',
        cancel: { identifier: 'wrong' },
      });
    expect((await cancel()).status).toBe('complete');
    await expect(cancel()).rejects.toMatchObject({ param: 'cancel[identifier]' });
    await send(id, 'late');
    await bench.advance('2025-11-03');
    const late = bench.stripe.billing.meterEventAdjustments.create({
      event_name: 'queries',
      type: 'cancel',
      cancel: { identifier: 'late' },
    });
    await expect(late).rejects.toThrow('within 24 hours');
  });

  it.each([
    [{ timestamp: at('2025-09-26') }, 'timestamp_too_far_in_past'],
    [{ timestamp: at('2025-11-01T00:05:01Z') }, 'timestamp_in_future'],
    [{ payload: { value: '1' } }, 'meter_event_no_customer_defined'],
    [{ payload: { stripe_customer_id: 'cus_none', value: '1' } }, 'meter_event_customer_not_found'],
    [{ event_name: 'nothing' }, 'no_meter'],
  ])('does not help an event that makes no sense: %j', async (params, code) => {
    const { id } = await bench.customer();
    await expect(send(id, 'x', params)).rejects.toMatchObject({ code });
  });

  it.each([
    [{}, 'meter_event_value_not_found'],
    [{ value: 'many' }, 'meter_event_invalid_value'],
  ])('nor one with the value %j', async (value, code) => {
    const { id } = await bench.customer();
    await expect(send(id, 'x', { payload: { stripe_customer_id: id, ...value } })).rejects.toMatchObject({
      code,
    });
  });
});

describe('meters', () => {
  const summary = async (meter: string, customer: string, grouping?: 'day' | 'hour') => {
    const { data } = await bench.stripe.billing.meters.listEventSummaries(meter, {
      customer,
      start_time: at('2025-10-30'),
      end_time: at('2025-11-02'),
      ...(grouping && { value_grouping_window: grouping }),
    });
    return data.map(({ aggregated_value }) => aggregated_value);
  };

  it.each([
    ['sum', undefined, 10],
    ['count', undefined, 4],
    ['last', undefined, 3],
    ['sum', 'day', 7],
    ['sum', 'hour', 9],
    ['count', 'day', 2],
    ['last', 'day', 3],
  ] as const)('add up by %s with the window %s', async (formula, window, value) => {
    const { id: customer } = await bench.customer();
    const meter = await bench.stripe.billing.meters.create({
      display_name: 'M',
      event_name: 'm',
      default_aggregation: { formula },
      ...(window && { event_time_window: window }),
    });
    for (const [time, amount] of [
      ['2025-10-30T10:00:00Z', '1'],
      ['2025-10-30T10:30:00Z', '2'],
      ['2025-10-30T12:00:00Z', '4'],
      ['2025-10-31T23:59:59Z', '3'],
    ] as const) {
      await bench.stripe.billing.meterEvents.create({
        event_name: 'm',
        payload: { stripe_customer_id: customer, value: amount },
        timestamp: at(time),
      });
    }
    expect(await summary(meter.id, customer)).toEqual([value]);
  });

  it('let a corrected day overwrite: A → B → A counts A', async () => {
    const { id: customer } = await bench.customer();
    for (const value of [100, 130, 100]) await bench.use(customer, value, '2025-10-31');
    expect(await summary(bench.meter.id, customer, 'day')).toEqual([100]);
  });
});
