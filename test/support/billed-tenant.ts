import type Stripe from 'stripe';
import { StripeBillingManager } from '../../src/billing/billing-manager.js';
import { ensureCatalogue } from '../../src/billing/catalogue.js';
import { openTestClock } from '../../src/billing/test-clock.js';
import { type WebhookContext, webhookHandler } from '../../src/billing/webhooks/handle-webhook.js';
import { eventOf, type WebhookEvent } from '../../src/billing/webhooks/webhook-event.js';
import { DunningLedger } from '../../src/dunning/dunning-ledger.js';
import { DunningManager, type DunningManagerOptions } from '../../src/dunning/dunning-manager.js';
import {
  createLocalStripe,
  type LocalStripe,
  type LocalStripeOptions,
} from '../../src/local-stripe/create-local-stripe.js';
import type { Notice } from '../../src/notifier.js';
import type { PlanName } from '../../src/plans.js';
import type { Embedded } from './embedded.js';

export const DAY = 86_400_000;
/** A subscription of 1 November is renewed on 1 December, and charged an hour later. */
export const FIRST_FAILURE = Date.parse('2025-12-01T01:00:00Z');
/** Some hours into a day of the ladder. */
export const dunningDayAt = (day: number) => new Date(FIRST_FAILURE + (day - 1) * DAY + 6 * 3_600_000);

export interface BilledTenantOptions {
  readonly tenantId?: string;
  /** @default 'pm_card_visa' */
  readonly card?: string | null;
  readonly planType?: PlanName;
  /** @default 0 */
  readonly trialDays?: number;
  readonly stripe?: LocalStripeOptions;
}

export type BilledTenant = Awaited<ReturnType<typeof billedTenant>>;

/** A tenant that subscribes on 1 November 2025 on a clock of its own, and what handles its webhooks. */
export async function billedTenant(
  services: Pick<Embedded, 'clickhouse' | 'redis'>,
  options: BilledTenantOptions = {},
) {
  const { tenantId = 'acme-corp', card = 'pm_card_visa', planType = 'starter', trialDays = 0 } = options;
  let now = new Date('2025-11-01T00:00:00Z');
  const local = createLocalStripe({
    seed: tenantId,
    now: () => now,
    clockLimits: false,
    endOfRetries: 'unpaid',
    ...options.stripe,
  });
  const stripe = local.client();
  const clock = openTestClock(stripe, { start: now });
  const catalogue = await ensureCatalogue(stripe);
  const billing = new StripeBillingManager(stripe, { catalogue, testClock: clock });
  const customerId = await billing.createCustomer({ tenantId, email: 'a@example.com', name: 'Acme' });
  if (card) await billing.attachPaymentMethod({ customerId, paymentMethodId: card });
  const { subscriptionId } = await billing.createSubscription({ customerId, planType, tenantId, trialDays });
  const told: Notice[] = [];
  const tenant = {
    ...(await handlersOf(local, { ...services, billing, told, now: () => now })),
    tenantId,
    local,
    stripe,
    catalogue,
    billing,
    customerId,
    subscriptionId,
    told,
    clock: () => now,
    topics: () => told.map(({ topic }) => topic),
    /** Moves the clocks, ours and Stripe's. */
    advance: async (to: Date | string) => {
      now = new Date(to);
      await clock.advanceTo(now);
      await local.settled();
    },
    /** The charges of December and January fail. */
    failCard: () =>
      local.failCard({
        customer: customerId,
        from: new Date('2025-12-01T00:30:00Z'),
        until: new Date('2026-02-01T00:00:00Z'),
      }),
    /** Pays what is open, past the card. */
    pay: async () => {
      for (const { id } of (await stripe.invoices.list({ customer: customerId, status: 'open' })).data) {
        await stripe.invoices.pay(id ?? '', { paid_out_of_band: true });
      }
    },
    /** Its events so far, oldest first; of some types alone, if they are given. */
    events: (...types: string[]) => eventsOf(stripe, types),
  };
  return tenant;
}

/** An event as the queue hands it over. */
export const eventAbout = (type: string, objectId: string): WebhookEvent => ({
  id: 'evt_x',
  type,
  created: 1,
  objectId,
});

/** Hands events to a tenant's handler, one after the other. */
export async function handleAll({ handle }: BilledTenant, events: readonly WebhookEvent[]): Promise<void> {
  for (const event of events) await handle(event);
}

/** The manager of dunning and the handler of webhooks, as a process has them. */
export async function handlersOf(
  local: LocalStripe,
  given: Pick<WebhookContext, 'clickhouse' | 'redis' | 'billing'> &
    Pick<DunningManagerOptions, 'onStanding'> & { told: Notice[]; now: () => Date },
) {
  const stripe = local.client();
  const notifier = { notify: async (notice: Notice) => void given.told.push(notice) };
  const ledger = await DunningLedger.open(given.clickhouse);
  const dunning = new DunningManager(stripe, { ...given, ledger, notifier });
  return { ledger, dunning, handle: webhookHandler(stripe, { ...given, dunning }) };
}

export async function eventsOf(stripe: Stripe, types: readonly string[] = []): Promise<WebhookEvent[]> {
  const listed = await stripe.events.list({ limit: 100 }).autoPagingToArray({ limit: 10_000 });
  const events = listed.reverse().filter(({ type }) => types.length === 0 || types.includes(type));
  return events.flatMap((event) => eventOf(event) ?? []);
}
