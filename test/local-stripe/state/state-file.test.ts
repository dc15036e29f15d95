import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
