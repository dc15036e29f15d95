/**
 * Redaction jobs: a customer's personal data leaves all objects, events and kept answers that mention the
 * customer. Stripe has them as a public preview; here a job is ready at once, and done when it is run.
 */
import { z } from 'zod';
import { invalid } from '../http/api-error.js';
import { id, list } from '../http/parameters.js';
import { type Route, retrieveRoute, route } from '../http/route.js';
import type { Account } from '../state/account.js';
import type { RedactionJobRow } from '../state/rows.js';
import type { Row, Table } from '../state/table.js';

const PATH = '/v1/privacy/redaction_jobs';

export const redactionJobRoutes: Route[] = [
  route(
    `POST ${PATH}`,
    'rawRequest',
    { objects: z.strictObject({ customers: list(id, 20) }) },
    (account, { objects }) => {
      for (const customer of objects.customers) checkEnded(account, customer);
      return account.tables.redactionJobs.put({
        id: account.newId('prj'),
        object: 'privacy.redaction_job',
        created: account.now(),
        livemode: false,
        objects,
        status: 'ready',
        validation_behavior: 'error',
      });
    },
  ),
  retrieveRoute(PATH, 'rawRequest', ({ redactionJobs }) => redactionJobs),
  route(`POST ${PATH}/:id/run`, 'rawRequest', {}, (account, _params, job) => {
    const { tables } = account;
    const { status, objects }: RedactionJobRow = tables.redactionJobs.one(job);
    if (status !== 'ready') throw invalid(`This redaction job is ${status}.`);
    for (const customer of objects.customers) redact(tables, customer);
    account.isRedacted = true;
    return tables.redactionJobs.change(job, { status: 'succeeded' as const });
  }),
];

/** What goes on cannot be redacted. */
function checkEnded({ tables }: Account, customer: string): void {
  tables.customers.one(customer, 'objects[customers]');
  const isOpen = tables.invoices.by('customer', customer).some(({ status }) => status === 'open');
  const lives = tables.subscriptions.by('customer', customer).some(({ ended_at }) => ended_at === null);
  const hasCard = tables.paymentMethods.by('customer', customer).length > 0;
  if (isOpen || lives || hasCard)
    throw invalid(`End the subscriptions and invoices of ${customer} and detach its payment methods first.`);
}

const REDACTED = '[redacted]';
const PERSONAL = new Set([
  ...['email', 'name', 'phone', 'address', 'shipping', 'billing_details', 'card', 'payment_method_details'],
  ...['customer_email', 'customer_name', 'customer_phone', 'customer_address', 'receipt_email'],
]);

function redact(tables: Account['tables'], customer: string): void {
  const all = Object.values(tables) as unknown as Table<Row>[];
  const mentioning = (words: readonly string[]) => (row: Row) => {
    const text = JSON.stringify(row);
    return words.some((word) => text.includes(word));
  };
  const concerned = all.flatMap((table) => table.all().filter(mentioning([customer])));
  // A card that was detached no longer names its customer; what happened with it does.
  const cards = [...new Set(JSON.stringify(concerned).match(/\bpm_\w+/g))];
  for (const card of cards) tables.paymentMethods.delete(card);
  for (const table of all) {
    for (const row of table.all().filter(mentioning([customer, ...cards]))) {
      const redacted = without(row, cards) as Row;
      if (JSON.stringify(redacted) !== JSON.stringify(row)) table.put(redacted);
    }
  }
}

/** A value without what is personal in it; kept answers are JSON in their turn. */
function without(value: unknown, cards: readonly string[], isOfCustomer = false): unknown {
  if (typeof value === 'string') return cards.includes(value) ? REDACTED : value;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((entry) => without(entry, cards, isOfCustomer));
  const { object, type } = value as { object?: unknown; type?: unknown };
  // A line of an invoice is described, too, and keeps that.
  const describesCustomer =
    isOfCustomer || object === 'customer' || /^customer\.(created|updated|deleted)$/.test(`${type}`);
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => {
      if (PERSONAL.has(key) || (key === 'description' && describesCustomer))
        return [key, typeof entry === 'string' ? REDACTED : null];
      if (key !== 'body' || typeof entry !== 'string') return [key, without(entry, cards, describesCustomer)];
      return [key, JSON.stringify(without(JSON.parse(entry), cards))];
    }),
  );
}
