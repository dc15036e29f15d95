/** What must hold of any history: money neither comes from nothing nor goes there. */
import type Stripe from 'stripe';

export interface Ledger {
  readonly invoiced: number;
  readonly paid: number;
  readonly open: number;
  /** What went onto customers' balances, or came from there, by invoices. */
  readonly credited: number;
}

/** Adds up a customer's final invoices; void and uncollectible drafts count for nothing. */
export async function ledgerOf(stripe: Stripe, customer: string): Promise<Ledger> {
  const ledger = { invoiced: 0, paid: 0, open: 0, credited: 0 };
  for await (const invoice of stripe.invoices.list({ customer, limit: 100 })) {
    if (invoice.number === null || invoice.status === 'void') continue;
    ledger.invoiced += invoice.total;
    ledger.paid += invoice.amount_paid;
    ledger.open += invoice.amount_remaining;
    ledger.credited += (invoice.starting_balance ?? 0) - (invoice.ending_balance ?? 0);
  }
  return ledger;
}

/** Sentences about what does not hold; none when all is well. */
export async function breaches(stripe: Stripe, customer: string): Promise<string[]> {
  const found: string[] = [];
  const { invoiced, paid, open, credited } = await ledgerOf(stripe, customer);
  if (invoiced !== paid + open - credited)
    found.push(`${invoiced} invoiced is not ${paid} + ${open} - ${credited}`);
  const { balance } = (await stripe.customers.retrieve(customer)) as Stripe.Customer;
  const transactions = await stripe.customers
    .listBalanceTransactions(customer)
    .autoPagingToArray({ limit: 10_000 });
  const moved = transactions.reduce((sum, { amount }) => sum + amount, 0);
  if (balance !== moved) found.push(`balance ${balance} is not its transactions' ${moved}`);
  const charges = await stripe.charges.list({ customer }).autoPagingToArray({ limit: 10_000 });
  const charged = charges
    .filter(({ status }) => status === 'succeeded')
    .reduce((sum, { amount }) => sum + amount, 0);
  const offStripe = { sum: 0 };
  for await (const invoice of stripe.invoices.list({ customer, limit: 100 })) {
    const lines = await stripe.invoices
      .listLineItems(invoice.id ?? '', { limit: 100 })
      .autoPagingToArray({ limit: 10_000 });
    const sum = lines.reduce((total, { amount }) => total + amount, 0);
    if (sum !== invoice.total) found.push(`${invoice.id}: lines make ${sum}, total is ${invoice.total}`);
    if (invoice.amount_paid + invoice.amount_remaining !== invoice.amount_due)
      found.push(`${invoice.id}: due is not paid + remaining`);
    if (invoice.amount_due < 0) found.push(`${invoice.id}: due ${invoice.amount_due}`);
    offStripe.sum += invoice.amount_paid_off_stripe ?? 0;
  }
  if (charged + offStripe.sum !== paid)
    found.push(`${charged} charged and ${offStripe.sum} otherwise is not ${paid} paid`);
  return found;
}
