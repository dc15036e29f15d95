import { once } from 'node:events';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLocalStripe } from '../../../src/local-stripe/create-local-stripe.js';
import { openBench } from '../../support/local-stripe.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'local-stripe-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A file with a subscription in it, and what its account says. */
async function filled() {
  const file = join(folder, 'stripe.jsonl');
  const bench = await openBench({ file });
  const { id: customer } = await bench.customer();
  await bench.stripe.subscriptions.create({ customer, items: [{ price: (await bench.monthly(1_000)).id }] });
  await bench.advance('2025-12-02');
  await bench.local.close();
  return { file, customer, clock: bench.clock.id };
}
const open = (file: string) => createLocalStripe({ seed: 'test', now: () => new Date('2025-11-01'), file });
/** The file as a process leaves it that is killed now; what is still open here goes on without it. */
const killed = (file: string) => {
  copyFileSync(file, `${file}.killed`);
  return `${file}.killed`;
};
const totals = async (file: string) => {
  const local = open(file);
  const { data } = await local.client().invoices.list();
  await local.close();
  return data.map(({ total, status }) => [total, status]);
};

describe('the state’s file', () => {
  it('holds all of it', async () => {
    const { file, customer, clock } = await filled();
    expect(await totals(file)).toEqual([
      [1_000, 'paid'],
      [1_000, 'paid'],
    ]);
    const local = open(file);
    const stripe = local.client();
    await stripe.testHelpers.testClocks.advance(clock, { frozen_time: Date.parse('2026-01-02') / 1_000 });
    await local.settled();
    expect((await stripe.invoices.list({ customer })).data.map(({ number }) => number?.slice(-4))).toEqual([
      '0003',
      '0002',
      '0001',
    ]);
  });

  it('loses nothing that was answered, and drops a torn last line', async () => {
    const { file } = await filled();
    const local = open(file);
    await local.client().products.create({ name: 'Answered' });
    // Killed here: nothing is closed, and the next line is half written.
    appendFileSync(file, '{"ids":900,"changes":[["product","prod_torn",{"id":"pro');
    const names = (await open(killed(file)).client().products.list()).data.map(({ name }) => name);
    expect(names).toEqual(['Answered', 'Pro']);
  });

  it('can be cut anywhere: each call is there as a whole or not at all', async () => {
    const file = join(folder, 'calls.jsonl');
    const bench = await openBench({ file });
    const { id: customer } = await bench.customer();
    const price = (await bench.monthly(1_000)).id;
    for (let n = 0; n < 3; n += 1) await bench.stripe.subscriptions.create({ customer, items: [{ price }] });
    const text = readFileSync(file, 'utf8');
    for (let length = text.indexOf('\n') + 1; length < text.length; length += 4_001) {
      const cut = join(folder, `cut-${length}.jsonl`);
      writeFileSync(cut, text.slice(0, length));
      const stripe = open(cut).client();
      const subscriptions = (await stripe.subscriptions.list()).data;
      const invoices = (await stripe.invoices.list()).data;
      expect(subscriptions.map(({ latest_invoice: id }) => id)).toEqual(invoices.map(({ id }) => id));
      expect(invoices.every(({ status }) => status === 'paid')).toBe(true);
    }
  });

  it('is rewritten beside itself', async () => {
    const { file } = await filled();
    const before = readFileSync(file, 'utf8').split('\n').length;
    await open(file).close();
    expect(readFileSync(file, 'utf8').split('\n').length).toBeLessThan(before);
    expect(existsSync(`${file}.new`)).toBe(false);
  });

  it('lets an advance go on that was under way', async () => {
    const { file, clock } = await filled();
    const local = open(file);
    const target = Date.parse('2026-01-02') / 1_000;
    await local.client().testHelpers.testClocks.advance(clock, { frozen_time: target });
    // Killed before the clock moved.
    const again = open(killed(file));
    await again.settled();
    expect(await again.client().testHelpers.testClocks.retrieve(clock)).toMatchObject({
      status: 'ready',
      frozen_time: target,
    });
    await local.settled();
  });
});

describe('a file that is opened again', () => {
  it('gives no id twice, with a seed too', async () => {
    let file = join(folder, 'seeded.jsonl');
    const ids = new Set<string | undefined>();
    for (let time = 0; time < 4; time += 1) {
      const local = open(file);
      const stripe = local.client();
      local.onWebhook(() => undefined);
      const customer = await stripe.customers.create();
      await stripe.invoiceItems.create({ customer: customer.id, amount: 900 });
      const invoice = await stripe.invoices.create({
        customer: customer.id,
        pending_invoice_items_behavior: 'include',
      });
      await stripe.invoices.finalizeInvoice(invoice.id ?? '');
      await local.settled();
      // A call that keeps nothing takes ids as well.
      const { lastResponse } = await stripe.customers.list();
      ids.add(lastResponse.requestId);
      if (time % 2 === 0) await local.close();
      else file = killed(file);
    }
    const rows = (JSON.parse(open(killed(file)).snapshot()) as { changes: [string, string][] }).changes;
    const tables = ['customer', 'invoiceitem', 'invoice', 'payment_intent', 'event'];
    // An id that came again would have taken the place of an earlier row.
    expect(tables.map((table) => rows.filter(([name]) => name === table).length)).toEqual([
      4,
      4,
      4,
      4,
      5 * 4,
    ]);
    expect(ids.size).toBe(4);
  });

  it('tries a refused webhook again, signed with the same secret', async () => {
    const { file, clock, customer } = await filled();
    const seen: boolean[] = [];
    let status = 500;
    const server = createServer((request, response) => {
      void text(request).then((body) => {
        const signature = String(request.headers['stripe-signature']);
        const event = bench().webhooks.constructEvent(body, signature, secret);
        seen.push(event.type === 'customer.updated');
        response.writeHead(status).end();
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    let local = open(file);
    const bench = () => local.client();
    const { secret = '' } = await bench().webhookEndpoints.create({
      url: `http://127.0.0.1:${port}/`,
      enabled_events: ['customer.updated'],
    });
    await bench().customers.update(customer, { name: 'Ada' });
    await local.close();
    expect(seen).toEqual([true]);
    local = open(file);
    status = 200;
    const later = Date.parse('2025-12-02T00:10:00Z') / 1_000;
    await bench().testHelpers.testClocks.advance(clock, { frozen_time: later });
    await local.close();
    expect(seen).toEqual([true, true]);
    local = open(file);
    await bench().testHelpers.testClocks.advance(clock, { frozen_time: later + 86_400 });
    await local.close();
    expect(seen).toEqual([true, true]);
    server.close();
  });
});

describe('a call that fails', () => {
  it('changes nothing, and is not in the file', async () => {
    const file = join(folder, 'failing.jsonl');
    const bench = await openBench({ file });
    const { id: customer } = await bench.customer('pm_card_chargeCustomerFail');
    const price = (await bench.monthly(1_000)).id;
    const failing = bench.stripe.subscriptions.create({
      customer,
      items: [{ price }],
      payment_behavior: 'error_if_incomplete',
    });
    await expect(failing).rejects.toMatchObject({ code: 'card_declined' });
    const kept = readFileSync(file, 'utf8').trimEnd().split('\n').at(-1) ?? '';
    expect((JSON.parse(kept) as { changes: string[][] }).changes.map(([table]) => table)).toEqual([
      'idempotency key',
    ]);
  });
});
