/** Invoice items that a call makes: amounts for the next invoice, or for a draft. */
import { z } from 'zod';
import { withLines } from '../billing/draft-invoice.js';
import { lineOfItem } from '../billing/lines.js';
import { createInvoiceItem } from '../billing/pending-items.js';
import { invalid } from '../http/api-error.js';
import { cents, choice, flag, id, isWithin, metadata, text, times, timestamp } from '../http/parameters.js';
import { mergeMetadata } from '../http/patched.js';
import { type Route, readRoutes, route } from '../http/route.js';

export const invoiceItemRoutes: Route[] = [
  route(
    'POST /v1/invoiceitems',
    'invoiceItems.create',
    {
      customer: id,
      amount: cents,
      currency: choice('usd').optional(),
      description: text().optional(),
      invoice: id.optional(),
      metadata: metadata.optional(),
      period: z.strictObject({ start: timestamp, end: timestamp }).optional(),
      subscription: id.optional(),
    },
    (account, { subscription, customer, amount, description = null, period, ...params }) => {
      const { tables } = account;
      const draft = params.invoice === undefined ? undefined : tables.invoices.one(params.invoice, 'invoice');
      if (draft && (draft.status !== 'draft' || draft.customer !== customer)) {
        throw invalid('The invoice must be a draft of the same customer.', 'invoice');
      }
      if (subscription && tables.subscriptions.one(subscription, 'subscription').customer !== customer) {
        throw invalid('The subscription must be the customer’s.', 'subscription');
      }
      if (period && period.end < period.start) {
        throw invalid('The period must not end before it starts.', 'period[end]');
      }
      const item = createInvoiceItem(account, {
        customer,
        amount,
        description,
        metadata: mergeMetadata({}, params.metadata),
        ...(period && { period }),
        ...(subscription && {
          parent: { subscription_details: { subscription }, type: 'subscription_details' },
        }),
        invoice: draft?.id ?? null,
      });
      if (draft)
        tables.invoices.put(withLines(account, draft, [...draft.lines.data, lineOfItem(account, item)]));
      return item;
    },
  ),
  ...readRoutes(
    '/v1/invoiceitems',
    'invoiceItems',
    { created: times.optional(), customer: id.optional(), invoice: id.optional(), pending: flag.optional() },
    ({ invoiceItems }) => invoiceItems,
    {
      created: (row, created) => isWithin(row.date, created),
      pending: (row, pending) => (row.invoice === null) === pending,
    },
  ),
];
