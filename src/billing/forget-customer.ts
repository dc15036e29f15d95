/**
 * Takes the personal data of a tenant's customer out of Stripe. The customer is emptied, not deleted: by
 * the tenant's id it still leads to its invoices. What Stripe copied from it (e-mail and name on final
 * invoices, cards on charges, events) no call can change; for that Stripe has redaction jobs.
 */
import Stripe from 'stripe';
import type { StripeClient } from '../stripe-client.js';
import type { Forget, PurgeLine } from '../tenants/purge-tenant.js';
import { METADATA } from './context.js';
import { existingCustomer } from './existing-customer.js';
import { sdkOf } from './sdk.js';

/** A redaction job at Stripe; the SDK has no words for it, since it is a public preview. */
interface RedactionJob {
  readonly id: string;
  readonly status: string;
}

const PREVIEW = { apiVersion: '2026-10-28.preview' };
const JOBS = '/v1/privacy/redaction_jobs';
/** Where the customer remembers its job, for whoever goes on after a kill. */
const JOB = 'redaction_job';

/**
 * Goes as far as Stripe lets it; asked again, it goes on.
 *
 * @param billing the StripeBillingManager
 * @example await purgeTenant({ …, forget: [forgetProfile, forgetCustomer(stripe, billing)] }, 'acme-corp');
 */
export function forgetCustomer(
  client: StripeClient,
  billing: { findCustomer(tenantId: string): Promise<string | undefined> },
): Forget {
  const stripe = sdkOf(client);
  return async (tenantId) => {
    const customerId = await billing.findCustomer(tenantId);
    if (!customerId) return { lines: [] };
    const known = (await existingCustomer(stripe, customerId))?.metadata[JOB];
    // What was redacted can no longer be changed.
    if (!known) await empty(stripe, customerId);
    const copies = await redact(stripe, customerId, known);
    return { isComplete: copies !== 'waiting', lines: linesOf(copies) };
  };
}

async function empty(stripe: Stripe, customer: string): Promise<void> {
  // First, since what follows is told of by webhooks, and the dunning would write to the tenant anew.
  await stripe.customers.update(customer, { metadata: { [METADATA.forgotten]: 'true' } });
  // One that lives is there only if nobody could end it for thirty days.
  for (const { id } of (await stripe.subscriptions.list({ customer, limit: 100 })).data)
    await stripe.subscriptions.cancel(id, { invoice_now: true, prorate: true });
  // Claims that nobody is left to pay: still there, no longer collected.
  const open = stripe.invoices.list({ customer, status: 'open', limit: 100 });
  for (const { id = '' } of await open.autoPagingToArray({ limit: 1_000 }))
    await stripe.invoices.markUncollectible(id);
  const cards = stripe.paymentMethods.list({ customer, limit: 100 });
  for (const { id } of await cards.autoPagingToArray({ limit: 1_000 }))
    await stripe.paymentMethods.detach(id);
  await stripe.customers.update(customer, { email: '', name: '', phone: '', description: '' });
}

/** `waiting`: payments, say, may take 90 days. `unavailable`: this account has no redaction jobs. */
type Copies = 'redacted' | 'waiting' | 'unavailable';

async function redact(stripe: Stripe, customerId: string, known: string | undefined): Promise<Copies> {
  const ask = (method: string, path: string, params: object = {}, options: object = {}) =>
    stripe.rawRequest(method, path, params as never, { ...PREVIEW, ...options }) as Promise<RedactionJob>;
  try {
    let job = known ? await ask('GET', `${JOBS}/${known}`) : undefined;
    if (!job) {
      const asked = { objects: { customers: [customerId] } };
      job = await ask('POST', JOBS, asked, { idempotencyKey: `redact:${customerId}` });
      await stripe.customers.update(customerId, { metadata: { [JOB]: job.id } });
    }
    if (job.status === 'ready') job = await ask('POST', `${JOBS}/${job.id}/run`);
    return job.status === 'succeeded' ? 'redacted' : 'waiting';
  } catch (error) {
    const { statusCode = 0 } = error instanceof Stripe.errors.StripeError ? error : {};
    if (statusCode === 403 || statusCode === 404) return 'unavailable';
    throw error;
  }
}

const COPIES: Readonly<Record<Copies, Pick<PurgeLine, 'fate' | 'why'>>> = {
  redacted: { fate: 'removed', why: 'redacted by Stripe' },
  waiting: { fate: 'stays', why: 'Stripe is at it' },
  unavailable: { fate: 'stays', why: 'the account has no redaction jobs: ask its support' },
};

function linesOf(copies: Copies): PurgeLine[] {
  const rest = 'customer, subscriptions, invoices, payments';
  const lines: Omit<PurgeLine, 'store'>[] = [
    { what: 'e-mail and name of the customer', fate: 'removed', why: 'the customer is emptied' },
    { what: 'cards', fate: 'removed', why: 'detached' },
    { what: 'copies on invoices, payments and events', ...COPIES[copies] },
    { what: rest, fate: 'stays', why: 'must be kept; amounts and the id alone' },
  ];
  return lines.map((line) => ({ store: 'Stripe', ...line }));
}
