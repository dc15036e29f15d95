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
/** Each invoice here has its customer; the SDK's type knows some that have none. */
export type Invoice = Stored<Stripe.Invoice> & { readonly customer: string };
export type InvoiceLine = Stored<Stripe.InvoiceLineItem>;
export type InvoiceItem = Stored<Stripe.InvoiceItem>;
export type PaymentIntent = Stored<Stripe.PaymentIntent>;
export type PaymentMethod = Stored<Stripe.PaymentMethod>;
export type Charge = Stored<Stripe.Charge>;
export type Meter = Stored<Stripe.Billing.Meter>;
export type TestClock = Stored<Stripe.TestHelpers.TestClock>;

/** Names are those of Stripe's messages: `No such customer: 'cus_1'`. */
export function createTables(journal: Journal) {
  const table = <R extends Row>(name: string, indexes: TableOptions<R>['indexes'] = {}) =>
    new Table<R>(name, journal, { indexes });
  return {
    customers: table<Customer>('customer', { test_clock: (row) => row.test_clock }),
    deletedCustomers: table<Stored<Stripe.DeletedCustomer>>('deleted customer'),
    balanceTransactions: table<Stored<Stripe.CustomerBalanceTransaction>>('customer balance transaction', {
      customer: (row) => row.customer,
    }),
    paymentMethods: table<PaymentMethod>('PaymentMethod', { customer: (row) => row.customer }),
    products: table<Stored<Stripe.Product>>('product'),
    prices: table<Price>('price', {
      product: (row) => row.product,
      lookup: (row) => row.lookup_key,
      meter: (row) => row.recurring?.meter,
    }),
    tiers: table<rows.TierRow>('tiers'),
    meters: table<Meter>('billing meter', { event: (row) => row.event_name }),
    meterEvents: table<rows.MeterEventRow>('meter event', {
      series: (row) => (row.cancelled ? null : `${row.meter}/${row.customer}`),
      identifier: (row) => row.identifier,
    }),
    usageTotals: table<rows.UsageTotalRow>('usage total'),
    subscriptions: table<Subscription>('subscription', { customer: (row) => row.customer }),
    items: table<rows.ItemRow>('item', { subscription: (row) => row.subscription }),
    invoices: table<Invoice>('invoice', { subscription: subscriptionOf, customer: (row) => row.customer }),
    usageSegments: table<rows.UsageSegmentsRow>('usage segments'),
    invoiceItems: table<InvoiceItem>('invoiceitem', {
      customer: (row) => row.customer,
      waiting: (row) => (row.invoice ? null : row.customer),
    }),
    corrections: table<rows.CorrectionRow>('correction', { credit: (row) => row.credit }),
    invoicePayments: table<Stored<Stripe.InvoicePayment>>('invoice_payment', {
      invoice: (row) => row.invoice,
    }),
    paymentIntents: table<PaymentIntent>('payment_intent', { customer: (row) => row.customer }),
    charges: table<Charge>('charge', {
      payment_intent: (row) => row.payment_intent,
      customer: (row) => row.customer,
    }),
    disputes: table<Stored<Stripe.Dispute>>('dispute'),
    events: table<rows.EventRow>('event'),
    webhookEndpoints: table<Stored<Stripe.WebhookEndpoint> & { readonly secret: string }>('webhook endpoint'),
    testClocks: table<TestClock>('test clock'),
    outages: table<rows.OutageRow>('outage', { customer: (row) => row.customer }),
    idempotency: table<rows.IdempotencyRow>('idempotency key'),
    redactionJobs: table<rows.RedactionJobRow>('redaction job'),
    written: table<rows.WrittenRow>('written'),
    due: new Timeline<rows.DueRow>('due', journal),
    deliveries: new Timeline<rows.DeliveryRow>('delivery', journal, { about: (row) => row.about }),
  };
}

export type Tables = ReturnType<typeof createTables>;

/** The subscription that an invoice belongs to. */
export function subscriptionOf(invoice: Invoice): string | null {
  return invoice.parent?.subscription_details?.subscription ?? null;
}
