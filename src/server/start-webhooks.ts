/**
 * What works behind `POST /webhooks/stripe`: a queue, its worker, and every hour what no webhook tells
 * of: the days of the dunning ladder, and events that never arrived. Any number of processes may run it.
 */
import type { ClickHouseClient } from '@clickhouse/client';
import { catchUpWebhooks } from '../billing/webhooks/catch-up-webhooks.js';
import { type WebhookContext, webhookHandler } from '../billing/webhooks/handle-webhook.js';
import { WebhookQueue, type WebhookQueueOptions } from '../billing/webhooks/webhook-queue.js';
import { closeAll } from '../close-all.js';
import { DunningLedger } from '../dunning/dunning-ledger.js';
import { DunningManager, type DunningManagerOptions } from '../dunning/dunning-manager.js';
import type { Notifier } from '../notifier.js';
import { HOUR_MS } from '../period.js';
import type { RedisClient } from '../redis-client.js';
import { messageOf } from '../say-failure.js';
import type { StripeClient } from '../stripe-client.js';
import type { TenantLockOptions } from '../tenants/tenant-lock.js';
import { inRounds } from './in-rounds.js';
import { type TenantLimits, tenantLimits } from './tenant-limits.js';

export interface WebhookServices
  extends Pick<WebhookContext, 'billing' | 'onSubscription'>,
    Pick<DunningManagerOptions, 'onStanding'> {
  readonly stripe: StripeClient;
  /** With its tables. */
  readonly clickhouse: ClickHouseClient;
  readonly redis: RedisClient;
  readonly notifier: Notifier;
  /** The clock. @default () => new Date() */
  readonly now?: () => Date;
  /** What else is due in each round. @default nothing */
  readonly round?: (dunning: DunningManager) => Promise<void>;
  /** Between two rounds. @default an hour */
  readonly everyMs?: number;
  readonly queue?: WebhookQueueOptions;
  readonly lock?: TenantLockOptions;
}

export interface StartedWebhooks {
  /** For `createApp({ webhooks: webhookRoute({ secret, queue }) })`. */
  readonly queue: WebhookQueue;
  /** For `createApp({ limitsOf })`: by plan and standing. */
  readonly limitsOf: (tenantId: string) => Promise<TenantLimits>;
  readonly dunning: DunningManager;
  /** Does now what is due every hour. */
  readonly round: () => Promise<void>;
  /** Lets running handlers and a running round end. */
  close(): Promise<void>;
}

/**
 * Starts what works behind `POST /webhooks/stripe`: the queue, its worker, and the hourly rounds. `close()` ends it.
 *
 * @example
 * const { queue, limitsOf, close } = await startWebhooks({ stripe, clickhouse, redis, billing, notifier });
 * const route = { limitsOf, webhooks: webhookRoute({ secret, queue }) };
 * const app = createApp({ keys, gate, tracker, clickhouse: services.clickhouse, ...route });
 * await close();
 */
export async function startWebhooks(services: WebhookServices): Promise<StartedWebhooks> {
  const { stripe, clickhouse, redis, everyMs = HOUR_MS } = services;
  const ledger = await DunningLedger.open(clickhouse);
  const dunning = new DunningManager(stripe, { ...services, ledger });
  const queue = new WebhookQueue(redis, services.queue);
  queue.work(webhookHandler(stripe, { ...services, dunning }));
  const round = async () => {
    // What goes wrong is tried again in the next round, and must not end the process.
    await catchUpWebhooks(stripe, queue).catch(say);
    await dunning.checkAll().catch(say);
    await services.round?.(dunning).catch(say);
  };
  const rounds = inRounds(everyMs, round);
  return {
    queue,
    limitsOf: tenantLimits({ ...services, ledger }),
    dunning,
    round,
    close: () => closeAll(rounds.close, () => queue.close()),
  };
}

const say = (error: unknown) => console.error(`Webhooks: ${messageOf(error)}; tried again in the next round`);
