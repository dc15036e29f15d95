/** Invoices: manual ones, and what can be done with any. */
import type { z } from 'zod';
import { checkPayable, collectPayment, markPaidOutOfBand } from '../billing/collect-payment.js';
import { advance, draftInvoice } from '../billing/draft-invoice.js';
import { finalizeInvoice } from '../billing/finalize-invoice.js';
import { checkMethod } from '../billing/payment-method.js';
import { pendingItems } from '../billing/pending-items.js';
import { previewInvoice, previewShape } from '../billing/preview-invoice.js';
import { markUncollectible, voidInvoice } from '../billing/write-off.js';
import { type ApiError, invalid } from '../http/api-error.js';
import { choice, clearable, flag, id, metadata, text, times } from '../http/parameters.js';
import { mergeMetadata, patched } from '../http/patched.js';
import { pageRoute, type Route, readRoutes, route } from '../http/route.js';
import type { Account } from '../state/account.js';
import { type Invoice, subscriptionOf } from '../state/tables.js';

const HOUR = 3_600;

const changes = {
  auto_advance: flag.optional(),
  default_payment_method: clearable(id).optional(),
  description: clearable(text(1_500)).optional(),
  metadata: metadata.optional(),
};

export const invoiceRoutes: Route[] = [
  route(
    'POST /v1/invoices',
    'invoices.create',
    {
      customer: id,
      auto_advance: flag.optional(),
      currency: choice('usd').optional(),
      description: text(1_500).optional(),
      metadata: metadata.optional(),
      pending_invoice_items_behavior: choice('include', 'exclude').optional(),
    },
    (account, params) => {
      const { now } = account.customer(params.customer);
      const include = params.pending_invoice_items_behavior === 'include';
      return draftInvoice(account, {
        customer: params.customer,
        reason: 'manual',
        pending: include ? pendingItems(account, params.customer, null) : [],
        period: { start: now, end: now },
        autoAdvance: params.auto_advance ?? false,
        fields: {
          description: params.description ?? null,
          metadata: mergeMetadata({}, params.metadata),
        },
      });
    },
  ),
  route('POST /v1/invoices/create_preview', 'invoices.createPreview', previewShape, previewInvoice),
  route('POST /v1/invoices/:id', 'invoices.update', changes, updateInvoice),
  route(
    'POST /v1/invoices/:id/finalize',
    'invoices.finalizeInvoice',
    { auto_advance: flag.optional() },
    (account, { auto_advance: given }, id) => {
      const { now } = account.customer(account.tables.invoices.one(id).customer);
      if (given !== undefined) account.tables.invoices.change(id, { auto_advance: given });
      const invoice = finalizeInvoice(account, id);
      const collects = invoice.auto_advance && invoice.collection_method === 'charge_automatically';
      if (invoice.status !== 'open' || !collects) return invoice;
      account.schedule('retry', invoice, now + HOUR);
      return account.tables.invoices.change(id, { next_payment_attempt: now + HOUR });
    },
  ),
  route(
    'POST /v1/invoices/:id/pay',
    'invoices.pay',
    {
      paid_out_of_band: flag.optional(),
      payment_method: id.optional(),
    },
    payInvoice,
  ),
  route('POST /v1/invoices/:id/void', 'invoices.voidInvoice', {}, (account, _params, id) =>
    voidInvoice(account, id),
  ),
  route(
    'POST /v1/invoices/:id/mark_uncollectible',
    'invoices.markUncollectible',
    {},
    (account, _params, id) => markUncollectible(account, id),
  ),
  pageRoute('/v1/invoices/:id/lines', 'invoices.listLineItems', {}, ({ tables }, _params, id) =>
    [...tables.invoices.one(id).lines.data].reverse(),
  ),
  ...readRoutes(
    '/v1/invoices',
    'invoices',
    {
      created: times.optional(),
      customer: id.optional(),
      status: choice('draft', 'open', 'paid', 'uncollectible', 'void').optional(),
      subscription: id.optional(),
    },
    ({ invoices }) => invoices,
    { subscription: (row, subscription) => subscriptionOf(row) === subscription },
  ),
];

function updateInvoice(account: Account, params: z.output<z.ZodObject<typeof changes>>, id: string): Invoice {
  const { invoices } = account.tables;
  const before = invoices.one(id);
  account.customer(before.customer);
  const fixed = before.status === 'draft' ? [] : (['auto_advance', 'description'] as const);
  const param = fixed.find((name) => params[name] !== undefined);
  if (param) throw invalid("Finalized invoices can't be updated in this way", param);
  checkMethod(account, before.customer, params.default_payment_method);
  const { auto_advance: advances, ...rest } = params;
  const changed = invoices.put(patched(before, rest));
  const invoice = advances === undefined ? changed : advance(account, changed, advances);
  account.emit('invoice.updated', invoice, { before });
  return invoice;
}

/** Finalizes a draft first. A card that fails leaves its traces: the error is the answer. */
function payInvoice(
  account: Account,
  params: { paid_out_of_band?: boolean | undefined; payment_method?: string | undefined },
  id: string,
): Invoice | ApiError {
  const { invoices, paymentMethods } = account.tables;
  const before = invoices.one(id);
  checkPayable(account, before);
  if (params.paid_out_of_band && params.payment_method) {
    throw invalid('What was paid out of band has no payment method.', 'payment_method');
  }
  const { customer } = account.customer(before.customer);
  checkMethod(account, customer.id, params.payment_method);
  const invoice = before.status === 'draft' ? finalizeInvoice(account, id) : before;
  if (invoice.status === 'paid') return invoice;
  if (params.paid_out_of_band) markPaidOutOfBand(account, id);
  else {
    const method = paymentMethods.get(params.payment_method);
    const error = collectPayment(account, id, { automatic: false, method });
    if (error) return error;
  }
  return invoices.one(id);
}
