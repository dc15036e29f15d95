import fs, { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLocalStripe, type LocalStripe } from '../../../src/local-stripe/create-local-stripe.js';
import { at, openBench } from '../../support/local-stripe.js';

let folder = '';
let file = '';
/** What the disk does with a line: takes it, takes it in pieces, or takes a piece and then is full (once). */
let disk: 'well' | 'pieces' | 'full' | 'stuck' | 'once' = 'well';
const { writeSync, ftruncateSync } = fs;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'local-stripe-'));
  file = join(folder, 'stripe.jsonl');
  disk = 'well';
  let isFull = false;
  fs.writeSync = ((fd: number, bytes: Buffer, from: number) => {
    if (disk === 'well') return writeSync(fd, bytes, from);
    if (disk === 'pieces') return writeSync(fd, bytes, from, Math.min(40, bytes.length - from));
    isFull = !isFull;
    if (isFull) return writeSync(fd, bytes, from, 40);
    if (disk === 'once') disk = 'well';
    throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  }) as typeof writeSync;
  fs.ftruncateSync = ((fd: number, length: number) => {
    if (disk === 'stuck') throw new Error('EIO: i/o error');
    ftruncateSync(fd, length);
  }) as typeof ftruncateSync;
  syncBuiltinESMExports();
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
});
afterEach(() => {
  Object.assign(fs, { writeSync, ftruncateSync });
  syncBuiltinESMExports();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const create = (local: LocalStripe, email: string) =>
  local.client({ maxNetworkRetries: 0 }).customers.create({ email });
const emails = async (local: LocalStripe) =>
  (await local.client().customers.list()).data.map(({ email }) => email).reverse();
async function kept() {
  const local = createLocalStripe({ file });
  const found = await emails(local);
  await local.close();
  return found;
}

describe('a line that the disk takes in pieces', () => {
  it('is written to its end', async () => {
    const local = createLocalStripe({ file });
    disk = 'pieces';
    await create(local, 'a');
    await create(local, 'b');
    await local.close();
    expect(await kept()).toEqual(['a', 'b']);
  });
});

describe.each(['full', 'stuck'] as const)('a call whose line the disk does not take: %s', (fault) => {
  it('is answered 500 and changed nothing, in memory or in the file; the next one is kept', async () => {
    const local = createLocalStripe({ file });
    await create(local, 'a');
    disk = fault;
    for (const email of ['b', 'c']) {
      await expect(create(local, email)).rejects.toMatchObject({ statusCode: 500 });
    }
    expect(await emails(local)).toEqual(['a']);
    expect(vi.mocked(console.error).mock.calls.flat().map(String).join('\n')).toContain(file);
    disk = 'well';
    await create(local, 'd');
    expect(await emails(local)).toEqual(['a', 'd']);
    await local.close();
    expect(await kept()).toEqual(['a', 'd']);
  });
});

describe('a full disk', () => {
  it('leaves only whole lines', async () => {
    const local = createLocalStripe({ file });
    const before = readFileSync(file, 'utf8');
    disk = 'full';
    await create(local, 'a').catch(() => undefined);
    expect(readFileSync(file, 'utf8')).toBe(before);
    await local.close();
  });

  it('does not deliver an event without end: it comes again at the next opening', async () => {
    const local = createLocalStripe({ file });
    let count = 0;
    local.onWebhook(() => {
      disk = 'full';
      count += 1;
    });
    await create(local, 'a');
    await local.settled();
    expect(count).toBe(1);
    disk = 'well';
    await local.close();
  });
});

describe('a clock whose steps the disk does not take', () => {
  /** Everything that is due, done by calls that come in. */
  const retrieve = (local: LocalStripe, id: string) => local.client().testHelpers.testClocks.retrieve(id);

  it('tries again with the next call, not without end, and goes on when there is room', async () => {
    const { local, stripe, clock, customer, monthly } = await openBench({ file });
    const { id } = await customer();
    const price = (await monthly(1_000)).id;
    await stripe.subscriptions.create({ customer: id, items: [{ price }] });
    await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: at('2025-12-02') });
    disk = 'full';
    await local.settled();
    const tries = vi.mocked(console.error).mock.calls.length;
    expect(tries).toBe(1);
    expect(await retrieve(local, clock.id)).toMatchObject({
      status: 'advancing',
      frozen_time: at('2025-11-01'),
    });
    disk = 'well';
    await retrieve(local, clock.id);
    await local.settled();
    expect(await retrieve(local, clock.id)).toMatchObject({ status: 'ready', frozen_time: at('2025-12-02') });
    expect((await stripe.invoices.list()).data.map(({ status }) => status)).toEqual(['paid', 'paid']);
    await local.close();
  });

  it('of the live one are not left out: they are done when there is room', async () => {
    let now = '2025-11-01';
    const { local, stripe, monthly } = await openBench({ file, now: () => new Date(now) });
    const { id } = await stripe.customers.create({
      payment_method: 'pm_card_visa',
      invoice_settings: { default_payment_method: 'pm_card_visa' },
    });
    const price = (await monthly(1_000)).id;
    await stripe.subscriptions.create({ customer: id, items: [{ price }] });
    now = '2025-12-02';
    // The step's line finds no room; a shorter one would.
    disk = 'once';
    await expect(create(local, 'a')).rejects.toMatchObject({ statusCode: 500 });
    await create(local, 'b');
    expect((await stripe.invoices.list()).data.map(({ status }) => status)).toEqual(['paid', 'paid']);
    await local.close();
  });

  it('of the live one are not tried without end for a webhook that waits behind them', async () => {
    let now = '2025-11-01';
    const { local, stripe, monthly } = await openBench({ file, now: () => new Date(now) });
    let count = 0;
    local.onWebhook(() => (count += 1), { events: ['customer.created'] });
    local.deliveryPlan = { delaySeconds: () => 40 * 86_400 };
    const { id } = await stripe.customers.create({
      payment_method: 'pm_card_visa',
      invoice_settings: { default_payment_method: 'pm_card_visa' },
    });
    const price = (await monthly(1_000)).id;
    await stripe.subscriptions.create({ customer: id, items: [{ price }] });
    await local.settled();
    now = '2025-12-12';
    disk = 'full';
    await local.tick();
    expect(vi.mocked(console.error).mock.calls).toHaveLength(1);
    expect(count).toBe(0);
    disk = 'well';
    await local.tick();
    expect(count).toBe(1);
    expect((await stripe.invoices.list()).data.map(({ status }) => status)).toEqual(['paid', 'paid']);
    await local.close();
  });
});

describe('a call that deletes, and whose line the disk does not take', () => {
  it('leaves the order as it was', async () => {
    const local = createLocalStripe({ file });
    const stripe = local.client({ maxNetworkRetries: 0 });
    const [{ id }] = [await create(local, 'a'), await create(local, 'b')];
    disk = 'full';
    await expect(stripe.customers.del(id)).rejects.toMatchObject({ statusCode: 500 });
    disk = 'well';
    expect(await emails(local)).toEqual(['a', 'b']);
    await local.close();
    expect(await kept()).toEqual(['a', 'b']);
  });
});

describe('a call after close', () => {
  it('is refused, since it could not be kept', async () => {
    const local = createLocalStripe({ file });
    await local.close();
    await local.close();
    await expect(create(local, 'late')).rejects.toMatchObject({ statusCode: 500 });
    expect(await kept()).toEqual([]);
  });
});
