/**
 * A Stripe in the process: customers, prices, meters, subscriptions, invoices, payments, webhooks and
 * test clocks, spoken to by the official SDK. For lessons, tests and work without a network; what it
 * supports, and where it differs from Stripe, stands in README.md beside this file.
 */

import Stripe from 'stripe';
import { openDispute } from './billing/open-dispute.js';
import { Background } from './clock/background.js';
import { catchUp } from './clock/run-clock.js';
import type { DeliveryPlan, WebhookHandler } from './events/delivery-plan.js';
import { type FaultPlan, withFaults } from './http/faults.js';
import { requestHandler } from './http/handle-request.js';
import { ROUTES } from './resources/routes.js';
import { Account } from './state/account.js';
import { type AccountSettings, settingsOf } from './state/settings.js';
import { loadSnapshot, openStateFile, type StateFile, takeSnapshot } from './state/state-file.js';

export interface LocalStripeOptions extends Partial<AccountSettings> {
  /** The clock of customers without a test clock. @default () => new Date() */
  readonly now?: () => Date;
  /** Makes ids the same in every run. @default random ids */
  readonly seed?: string;
  /** A file that keeps the state, for one process at a time; it is made if it is missing. @default none: memory only */
  readonly file?: string;
  /** A state in memory to begin with, from {@link LocalStripe.snapshot}. */
  readonly snapshot?: string;
}

/** A span of time in which all of a customer's charges fail. */
export interface CardOutage {
  readonly customer: string;
  readonly from: Date;
  readonly until: Date;
  /** @default 'insufficient_funds' */
  readonly declineCode?: string;
}

/** A local Stripe account. */
export interface LocalStripe {
  /** Answers a request as api.stripe.com would: for `Stripe.createFetchHttpClient`, or a server. */
  fetch(input: Request | URL | string, init?: RequestInit): Promise<Response>;
  /** The official SDK, speaking to this account. */
  client(config?: Stripe.StripeConfig): Stripe;
  /** Does what the live clock has due, and waits for its webhooks. */
  tick(): Promise<void>;
  /** Resolves when no webhook is on its way and no clock advances. */
  settled(): Promise<void>;
  /** Hands webhooks to a function, like an endpoint; it is gone with the process. */
  onWebhook(
    handler: WebhookHandler,
    options?: { events?: readonly string[] },
  ): { readonly secret: string; stop(): void };
  /** Makes a customer's card fail between two times of its clock. */
  failCard(outage: CardOutage): void;
  /** Disputes a charge, as the holder of its card would. */
  dispute(charge: string): Stripe.Dispute;
  /** How webhooks go wrong. @default each arrives once, in order */
  deliveryPlan: DeliveryPlan;
  /** How calls go wrong. @default none does */
  faults: FaultPlan;
  /** The whole state as text. */
  snapshot(): string;
  /** Waits for what is under way, and lets go of the file. */
  close(): Promise<void>;
}

/**
 * Opens a local Stripe account.
 *
 * @throws RangeError for options that make no sense, and for a snapshot that is none.
 * @throws Error naming the file when another process has it open, or when it is not a local Stripe's.
 * @example
 * const local = createLocalStripe({ seed: 'lesson' });
 * const stripe = local.client();
 * await stripe.customers.create({ email: 'ada@example.com' });
 */
export function createLocalStripe(options: LocalStripeOptions = {}): LocalStripe {
  const { now = () => new Date(), seed, file: path, snapshot, ...settings } = options;
  if (snapshot !== undefined && path !== undefined) {
    throw new RangeError(
      'Cannot open a local Stripe: snapshot must be left out with a file, which has its own state',
    );
  }
  let file: StateFile | undefined;
  const account = new Account(settingsOf(settings), now, {
    seed,
    save: (changes) => file?.append(changes),
  });
  if (snapshot !== undefined) loadSnapshot(account, snapshot);
  if (path !== undefined) file = openStateFile(path, account);
  const background = new Background(account);
  const handle = requestHandler(account, ROUTES, {
    before: () => catchUp(account),
    after: () => {
      if (account.isRedacted) file?.compact();
      account.isRedacted = false;
      background.wake();
    },
  });
  // An advance that a killed process left behind goes on.
  background.wake();
  const local: LocalStripe = {
    fetch: (input, init) => withFaults(new Request(input, init), local.faults, handle),
    client: (config = {}) =>
      new Stripe('sk_test_local', {
        httpClient: Stripe.createFetchHttpClient(local.fetch as typeof fetch),
        telemetry: false,
        ...config,
      }),
    tick: () => background.tick(),
    settled: () => background.settled(),
    onWebhook: (handler, { events = ['*'] } = {}) => {
      const secret = `whsec_${account.ids.letters(32)}`;
      const id = account.newId('fn');
      account.functions.set(id, { handler, events, secret });
      return { secret, stop: () => void account.functions.delete(id) };
    },
    failCard: ({ customer, from, until, declineCode = 'insufficient_funds' }) => {
      const outage = {
        id: account.newId('outage'),
        customer,
        declineCode,
        from: seconds(from),
        until: seconds(until),
      };
      if (outage.until <= outage.from)
        throw new RangeError('Cannot make a card fail: the outage must end after it begins');
      account.work(null, () => {
        account.tables.customers.one(customer);
        account.tables.outages.put(outage);
      });
    },
    dispute: (id) => {
      const dispute = account.work(null, () => openDispute(account, account.tables.charges.one(id)));
      background.wake();
      return dispute as unknown as Stripe.Dispute;
    },
    get deliveryPlan() {
      return account.deliveryPlan;
    },
    set deliveryPlan(plan) {
      account.deliveryPlan = plan;
    },
    faults: () => undefined,
    snapshot: () => takeSnapshot(account),
    close: async () => {
      await background.settled();
      file?.close();
    },
  };
  return local;
}

function seconds(time: Date): number {
  if (Number.isNaN(time.getTime())) throw new RangeError('Cannot tell the time: the date is invalid');
  return Math.floor(time.getTime() / 1_000);
}
