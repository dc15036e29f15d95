/** Draft invoices: what goes on them, and their totals. */
import type { Account } from '../state/account.js';
import type { UsageSegment } from '../state/rows.js';
import { filled, nulls } from '../state/stored.js';
import type { Customer, Invoice, InvoiceItem, InvoiceLine, Subscription } from '../state/tables.js';
import { type LineDraft, lineOfItem, type Span, usageLines } from './lines.js';

const HOUR = 3_600;
/** Stripe's smallest charge in dollars, in cents. */
const LEAST_CHARGE = 50;

export interface DraftOptions {
  /** Its id. */
  readonly customer: string;
  readonly subscription?: Subscription;
  readonly reason: Invoice['billing_reason'];
  readonly lines?: readonly LineDraft[];
  /** Pending invoice items that go on it. */
  readonly pending?: readonly InvoiceItem[];
  /** Usage that it bills, added up again when it is finalized. */
  readonly usage?: readonly UsageSegment[];
  readonly period: Span;
  /** Whether it is finalized by itself after a while. */
  readonly autoAdvance: boolean;
  /** What a call says of it. */
  readonly fields?: Partial<Invoice>;
}

/** Makes a draft, puts its finalization on the clock if it advances by itself, and tells of it. */
export function draftInvoice(account: Account, options: DraftOptions): Invoice {
  const { subscription, lines = [], pending = [], usage = [] } = options;
  const { customer, now } = account.customer(options.customer);
  const { tables } = account;
  const id = account.newId('in');
  const newestFirst = [...pending].sort((one, other) => other.date - one.date);
  const drafts = [
    ...newestFirst.map((item) => lineOfItem(account, item)),
    ...lines,
    ...usage.flatMap((segment) => usageLines(account, customer.id, segment, subscription?.id ?? '')),
  ];
  for (const item of pending) tables.invoiceItems.change(item.id, { invoice: id });
  if (usage.length > 0) tables.usageSegments.put({ id, segments: usage });
  const blank = blankInvoice(customer, { ...options, id, now });
  const invoice = advance(account, withLines(account, blank, drafts), options.autoAdvance);
  if (subscription) tables.subscriptions.change(subscription.id, { latest_invoice: id });
  account.emit('invoice.created', invoice);
  return invoice;
}

/** Lets a draft be finalized by itself an hour after its making, a renewal's after the grace for usage; or not. */
export function advance(account: Account, draft: Invoice, isOn: boolean): Invoice {
  const { id, billing_reason: reason, collection_method: method } = draft;
  const { now } = account.customer(draft.customer);
  const billsUsage = reason === 'subscription_cycle' && account.tables.usageSegments.get(id);
  const at = draft.created + (billsUsage ? account.settings.usageGraceHours : 1) * HOUR;
  if (isOn) account.schedule('finalize', draft, Math.max(at, now));
  else account.unschedule(id, 'finalize');
  return account.tables.invoices.put({
    ...draft,
    auto_advance: isOn,
    // Stripe shows the second after the one in which it finalizes.
    automatically_finalizes_at: isOn ? at + 1 : null,
    next_payment_attempt: isOn && method === 'charge_automatically' ? at : null,
  });
}

/** A draft with these lines, and the totals that follow from them and from the customer's balance. */
export function withLines(
  account: Account,
  invoice: Invoice,
  drafts: readonly (LineDraft | InvoiceLine)[],
): Invoice {
  const data: InvoiceLine[] = drafts.map((draft) => ({
    ...draft,
    id: 'id' in draft ? draft.id : account.newId('il'),
    invoice: invoice.id,
  }));
  const total = data.reduce((sum, { amount }) => sum + amount, 0);
  const { balance } = account.tables.customers.one(invoice.customer);
  const { due } = settle(total, balance);
  return {
    ...invoice,
    lines: { ...invoice.lines, data },
    amount_due: due,
    amount_remaining: due,
    starting_balance: balance,
    subtotal: total,
    subtotal_excluding_tax: total,
    total,
    total_excluding_tax: total,
  };
}

/**
 * What is left to pay of a total, and the customer's balance afterwards (below 0 it is a credit).
 * Always total + balance = due + ending.
 */
export function settle(total: number, balance: number): { due: number; ending: number } {
  if (total <= 0 || total + balance <= 0) return { due: 0, ending: total + balance };
  const due = total + balance;
  return due < LEAST_CHARGE ? { due: 0, ending: due } : { due, ending: 0 };
}

function blankInvoice(
  customer: Customer,
  { id, now, subscription, period, reason, fields }: DraftOptions & { id: string; now: number },
): Invoice {
  const { days_until_due: dueDays = null } = subscription ?? {};
  return {
    id,
    object: 'invoice',
    account_country: 'US',
    account_name: 'Local Stripe',
    attempted: false,
    automatic_tax: { enabled: false, ...nulls('disabled_reason liability provider status') },
    billing_reason: reason,
    collection_method: subscription?.collection_method ?? 'charge_automatically',
    created: now,
    currency: 'usd',
    customer: customer.id,
    customer_email: customer.email,
    customer_name: customer.name ?? null,
    customer_phone: customer.phone ?? null,
    customer_tax_exempt: 'none',
    // One that is charged has no such date.
    due_date: dueDays === null ? null : now + dueDays * 24 * HOUR,
    issuer: { type: 'self' },
    lines: { object: 'list', data: [], has_more: false, url: `/v1/invoices/${id}/lines` },
    livemode: false,
    metadata: {},
    parent: subscription
      ? {
          quote_details: null,
          subscription_details: { metadata: subscription.metadata, subscription: subscription.id },
          type: 'subscription_details',
        }
      : null,
    payment_settings: nulls('default_mandate payment_method_options payment_method_types'),
    period_end: period.end,
    period_start: period.start,
    status: 'draft',
    status_transitions: nulls('finalized_at marked_uncollectible_at paid_at voided_at'),
    test_clock: customer.test_clock ?? null,
    webhooks_delivered_at: now,
    ...filled('amount_due amount_overpaid amount_paid amount_remaining amount_shipping attempt_count', 0),
    ...filled('post_payment_credit_notes_amount pre_payment_credit_notes_amount starting_balance', 0),
    ...filled('subtotal subtotal_excluding_tax total total_excluding_tax', 0),
    ...filled('customer_tax_ids default_tax_rates discounts total_discount_amounts total_taxes', []),
    ...filled('total_pretax_credit_amounts', []),
    ...nulls('account_tax_ids application automatically_finalizes_at custom_fields customer_account'),
    ...nulls('customer_address customer_shipping default_payment_method default_source description'),
    ...nulls('effective_at ending_balance footer from_invoice hosted_invoice_url invoice_pdf'),
    ...nulls('last_finalization_error latest_revision next_payment_attempt number on_behalf_of'),
    ...nulls('receipt_number rendering shipping_cost shipping_details statement_descriptor'),
    ...fields,
  };
}
