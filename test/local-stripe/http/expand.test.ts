import { beforeEach, describe, expect, it } from 'vitest';
import { type Bench, openBench } from '../../support/local-stripe.js';

let bench: Bench;
let customer = '';
beforeEach(async () => {
  bench = await openBench();
  ({ id: customer } = await bench.customer());
  await bench.stripe.customers.update(customer, { metadata: { friend: customer }, name: customer });
});

describe('expand', () => {
  it.each(['id', 'balance', 'livemode', 'metadata', 'metadata.friend', 'test_clock.id', 'toString', 'x'])(
    'of what is no reference is a 400: %s',
    async (path) => {
      await expect(bench.stripe.customers.retrieve(customer, { expand: [path] })).rejects.toMatchObject({
        statusCode: 400,
        param: 'expand',
        message: `This property cannot be expanded (${path}).`,
      });
    },
  );

  it.each(['constructor.name', '__proto__.x', 'email.length'])('goes into nothing else: %s', async (path) => {
    await expect(bench.stripe.customers.retrieve(customer, { expand: [path] })).rejects.toMatchObject({
      statusCode: 400,
      param: 'expand',
    });
  });

  it.each([
    ['expand=customer', 'expand', 'Invalid expand: Invalid input: expected array, received string.'],
    ['expand[0]=', 'expand[0]', "You passed an empty string for 'expand[0]'. It cannot be unset."],
    ['expand[0][a]=b', 'expand[0]', 'Invalid expand[0]: Invalid input: expected string, received object.'],
  ])('that cannot be read says so: %s', async (query, param, message) => {
    const response = await bench.local.fetch(`http://localhost/v1/customers/${customer}?${query}`, {
      headers: { authorization: 'Bearer sk_test_x' },
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { param, message } });
  });
});
