/** All that the local Stripe holds. */
import type Stripe from 'stripe';
import type { Journal } from './journal.js';
import type * as rows from './rows.js';
import type { Stored } from './stored.js';
import { type Row, Table, type TableOptions } from './table.js';
import { Timeline } from './timeline.js';

export type Customer = Stored<Stripe.Customer>;
export type Price = Stored<Stripe.Price>;
export type Subscription = Stored<Stripe.Subscription>;
export type SubscriptionItem = Stored<Stripe.SubscriptionItem>;
export type Invoice = Stored<Stripe.Invoice>;
export type InvoiceLine = Stored<Stripe.InvoiceLineItem>;
export type InvoiceItem = Stored<Stripe.InvoiceItem>;
export type PaymentIntent = Stored<Stripe.PaymentIntent>;

export interface Tables {
  readonly customers: Table<Customer>;
  readonly deletedCustomers: Table<Stored<Stripe.DeletedCustomer>>;
  readonly balanceTransactions: Table<Stored<Stripe.CustomerBalanceTransaction>>;
  readonly paymentMethods: Table<Stored<Stripe.PaymentMethod>>;
  readonly products: Table<Stored<Stripe.Product>>;
  readonly prices: Table<Price>;
  readonly tiers: Table<rows.TierRow>;
  readonly meters: Table<Stored<Stripe.Billing.Meter>>;
  readonly meterEvents: Table<rows.MeterEventRow>;
  readonly usageTotals: Table<rows.UsageTotalRow>;
  readonly subscriptions: Table<Subscription>;
  readonly items: Table<rows.ItemRow>;
  readonly invoices: Table<Invoice>;
  readonly usageSegments: Table<rows.UsageSegmentsRow>;
  readonly invoiceItems: Table<InvoiceItem>;
  readonly corrections: Table<rows.CorrectionRow>;
  readonly invoicePayments: Table<Stored<Stripe.InvoicePayment>>;
  readonly paymentIntents: Table<PaymentIntent>;
  readonly charges: Table<Stored<Stripe.Charge>>;
  readonly disputes: Table<Stored<Stripe.Dispute>>;
  readonly events: Table<rows.EventRow>;
  readonly webhookEndpoints: Table<Stored<Stripe.WebhookEndpoint> & { readonly secret: string }>;
  readonly testClocks: Table<Stored<Stripe.TestHelpers.TestClock>>;
  readonly outages: Table<rows.OutageRow>;
  readonly idempotency: Table<rows.IdempotencyRow>;
  readonly redactionJobs: Table<rows.RedactionJobRow>;
  readonly written: Table<rows.WrittenRow>;
  readonly due: Timeline<rows.DueRow>;
  readonly deliveries: Timeline<rows.DeliveryRow>;
}

/** Names are those of Stripe's messages: `No such customer: 'cus_1'`. */
export function createTables(journal: Journal): Tables {
  const table = <R extends Row>(name: string, indexes: TableOptions<R>['indexes'] = {}) =>
    new Table<R>(name, journal, { indexes });
  return {
    customers: table('customer', { test_clock: (row) => row.test_clock }),
    deletedCustomers: table('deleted customer'),
    balanceTransactions: table('customer balance transaction', { customer: (row) => row.customer }),
    paymentMethods: table('PaymentMethod', { customer: (row) => row.customer }),
    products: table('product'),
    prices: table('price', {
      product: (row) => row.product,
      lookup: (row) => row.lookup_key,
      meter: (row) => row.recurring?.meter,
    }),
    tiers: table('tiers'),
    meters: table('billing meter', { event: (row) => row.event_name }),
    meterEvents: table('meter event', {
      series: (row) => (row.cancelled ? null : `${row.meter}/${row.customer}`),
      identifier: (row) => row.identifier,
    }),
    usageTotals: table('usage total'),
    subscriptions: table('subscription', { customer: (row) => row.customer }),
    items: table('item', { subscription: (row) => row.subscription }),
    invoices: table('invoice', { subscription: subscriptionOf, customer: (row) => row.customer }),
    usageSegments: table('usage segments'),
    invoiceItems: table('invoiceitem', {
      customer: (row) => row.customer,
      waiting: (row) => (row.invoice ? null : row.customer),
    }),
    corrections: table('correction', { credit: (row) => row.credit }),
    invoicePayments: table('invoice_payment', { invoice: (row) => row.invoice }),
    paymentIntents: table('payment_intent', { customer: (row) => row.customer }),
    charges: table('charge', {
      payment_intent: (row) => row.payment_intent,
      customer: (row) => row.customer,
    }),
    disputes: table('dispute'),
    events: table('event'),
    webhookEndpoints: table('webhook endpoint'),
    testClocks: table('test clock'),
    outages: table('outage', { customer: (row) => row.customer }),
    idempotency: table('idempotency key'),
    redactionJobs: table('redaction job'),
    written: table('written'),
    due: new Timeline('due', journal),
    deliveries: new Timeline<rows.DeliveryRow>('delivery', journal, { about: (row) => row.about }),
  };
}

/** The subscription that an invoice belongs to. */
export function subscriptionOf(invoice: Invoice): string | null {
  return invoice.parent?.subscription_details?.subscription ?? null;
}
