/** Invoice items that a call makes: amounts for the next invoice, or for a draft. */
import { z } from 'zod';
import { withLines } from '../billing/draft-invoice.js';
import { createInvoiceItem } from '../billing/invoice-items.js';
import { lineOfItem } from '../billing/lines.js';
import { invalid } from '../http/api-error.js';
import {
  cents,
  choice,
  clearable,
  flag,
  id,
  isWithin,
  mergeMetadata,
  metadata,
  text,
  times,
  timestamp,
} from '../http/parameters.js';
import { listRoute, type Route, retrieveRoute, route } from '../http/route.js';
import type { Account } from '../state/account.js';
import type { InvoiceItem } from '../state/tables.js';

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
    (account, params) => {
      const { tables } = account;
      const { subscription } = params;
      const draft = params.invoice === undefined ? undefined : tables.invoices.one(params.invoice, 'invoice');
      if (draft && (draft.status !== 'draft' || draft.customer !== params.customer)) {
        throw invalid('The invoice must be a draft of the same customer.', { param: 'invoice' });
      }
      if (
        subscription &&
        tables.subscriptions.one(subscription, 'subscription').customer !== params.customer
      ) {
        throw invalid('The subscription must be the customer’s.', { param: 'subscription' });
      }
      const item = createInvoiceItem(account, {
        customer: params.customer,
        amount: params.amount,
        description: params.description ?? null,
        metadata: mergeMetadata({}, params.metadata),
        ...(params.period && { period: params.period }),
        ...(subscription && {
          parent: { subscription_details: { subscription }, type: 'subscription_details' },
        }),
        invoice: draft?.id ?? null,
      });
      if (draft) {
        tables.invoices.put(withLines(account, draft, [...draft.lines.data, lineOfItem(account, item)]));
      }
      return item;
    },
  ),
  retrieveRoute('/v1/invoiceitems', 'invoiceItems.retrieve', ({ tables }) => tables.invoiceItems),
  route(
    'POST /v1/invoiceitems/:id',
    'invoiceItems.update',
    { amount: cents.optional(), description: clearable(text()).optional(), metadata: metadata.optional() },
    (account, params, id = '') => {
      const before = pendingItem(account, id);
      const amount = params.amount ?? before.amount;
      return account.tables.invoiceItems.put({
        ...before,
        amount,
        net_amount: amount,
        description: params.description === undefined ? before.description : params.description,
        metadata: mergeMetadata(before.metadata ?? {}, params.metadata),
        ...(params.amount !== undefined && {
          pricing: { type: 'price_details', unit_amount_decimal: String(amount) },
        }),
      });
    },
  ),
  route('DELETE /v1/invoiceitems/:id', 'invoiceItems.del', {}, (account, _params, id = '') => {
    const item = pendingItem(account, id);
    const { clock } = account.customer(item.customer as string);
    account.tables.invoiceItems.delete(id);
    account.emit('invoiceitem.deleted', item, { clock });
    return { id, object: 'invoiceitem', deleted: true };
  }),
  listRoute(
    '/v1/invoiceitems',
    'invoiceItems.list',
    {
      created: times.optional(),
      customer: id.optional(),
      invoice: id.optional(),
      pending: flag.optional(),
    },
    ({ tables }, { created, customer, invoice, pending }) =>
      (customer === undefined
        ? tables.invoiceItems.all()
        : tables.invoiceItems.by('customer', customer)
      ).filter(
        (row) =>
          isWithin(row.date, created) &&
          (invoice === undefined || row.invoice === invoice) &&
          (pending === undefined || (row.invoice === null) === pending),
      ),
  ),
];

/** An item that is on no invoice yet, and no proration: those are Stripe's. */
function pendingItem(account: Account, id: string): InvoiceItem {
  const item = account.tables.invoiceItems.one(id);
  account.customer(item.customer as string);
  if (item.invoice !== null) throw invalid('This invoice item is on an invoice and cannot be changed.');
  if (item.proration) throw invalid('A proration cannot be changed.');
  return item;
}
