import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createLocalStripe } from '../../src/local-stripe/create-local-stripe.js';

const JOBS = '/v1/privacy/redaction_jobs';
type Job = { id: string; status: string };

/** A customer with a paid invoice, and a neighbour. */
async function open() {
  const folder = mkdtempSync(join(tmpdir(), 'meterbridge-redaction-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'stripe.jsonl');
  const local = createLocalStripe({ seed: 'test', file });
  const stripe = local.client();
  await stripe.customers.create({ email: 'neighbour@example.org' });
  const { id: customer } = await stripe.customers.create({
    email: 'ada@example.com',
    description: 'her own',
  });
  const { id: card } = await stripe.paymentMethods.attach('pm_card_visa', { customer });
  const { id: invoice = '' } = await stripe.invoices.create({ customer });
  await stripe.invoiceItems.create({ customer, invoice, amount: 500, description: 'a service' });
  await stripe.invoices.pay(invoice, { payment_method: card });
  const ask = async (path: string, params: object = {}) =>
    (await stripe.rawRequest('POST', path, params as never)) as unknown as Job;
  const create = () => ask(JOBS, { objects: { customers: [customer] } });
  return { local, stripe, file, customer, card, invoice, ask, create };
}

it('a redaction job leaves nothing of the customer, in the file neither, and the invoice as it was', async () => {
  const { local, stripe, file, card, invoice, ask, create } = await open();
  const { total, number } = await stripe.invoices.retrieve(invoice);
  await stripe.paymentMethods.detach(card);
  const { id, status } = await create();
  expect([status, (await ask(`${JOBS}/${id}/run`)).status]).toEqual(['ready', 'succeeded']);
  for (const word of ['ada@', 'her own', card, 'last4'])
    expect(local.snapshot() + readFileSync(file, 'utf8')).not.toContain(word);
  const after = await stripe.invoices.retrieve(invoice);
  expect(after).toMatchObject({ total, number, status: 'paid', customer_email: '[redacted]' });
  expect(after.lines.data.map(({ description }) => description)).toEqual(['a service']);
  expect(local.snapshot()).toContain('neighbour@example.org');
  await expect(ask(`${JOBS}/${id}/run`)).rejects.toThrow('This redaction job is succeeded.');
  // The file is whole: what comes after stands in it too.
  await stripe.customers.create({ email: 'next@example.com' });
  await local.close();
  const again = createLocalStripe({ file });
  expect((await again.client().customers.list()).data[0]?.email).toBe('next@example.com');
  await again.close();
});

it('a redaction job is refused for what goes on', async () => {
  const { local, create } = await open();
  await expect(create()).rejects.toThrow('detach its payment methods first');
  expect(local.snapshot()).not.toContain('privacy.redaction_job');
  await local.close();
});
