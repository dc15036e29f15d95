/**
 * Opens what a notebook or a command works with: ClickHouse, Redis and Stripe, each embedded
 * (nothing configured), configured, or off with a reason; and the workspace that holds their data.
 */
import type { ClickHouseClient } from '@clickhouse/client';
import { closeAll } from '../close-all.js';
import { type Config, readConfig } from '../config.js';
import type { RedisClient } from '../redis-client.js';
import { OFFLINE, type Service } from '../service.js';
import type { StripeClient } from '../stripe-client.js';
import { openClickHouse } from './clickhouse.js';
import { off } from './opened.js';
import { openRedis } from './redis.js';
import { openStripe } from './stripe.js';
import { openWorkspace, type WorkspaceOptions } from './workspace.js';

export interface OpenServicesOptions extends Omit<WorkspaceOptions, 'name'> {
  /** Name of the workspace. */
  readonly workspace: string;
  /** @default readConfig() */
  readonly config?: Config;
}

export interface Services {
  readonly clickhouse: Service<ClickHouseClient>;
  readonly redis: Service<RedisClient>;
  readonly stripe: Service<StripeClient>;
  /** Absolute path of the workspace's folder. */
  readonly workspace: string;
  /** Fallback files that other users of the workspace's name left with events that were not sent. */
  readonly unsent: readonly string[];
  /** Ends everything: no process and no open handle stays. */
  close(): Promise<void>;
}

/**
 * A service that cannot be reached is off and says why; only settings that make no sense throw.
 *
 * @throws ConfigError
 * @example
 * const services = await openServices({ workspace: 'm12-1', reset: true });
 * if (services.clickhouse.mode !== 'off') await createTables(services.clickhouse.client);
 * await services.close();
 */
export async function openServices({
  workspace: name,
  config = readConfig(),
  ...options
}: OpenServicesOptions): Promise<Services> {
  const workspace = openWorkspace({ name, ...options });
  try {
    const clickhouse = config.offline ? off(OFFLINE) : await openClickHouse(config, workspace.path);
    const redis = config.offline ? off(OFFLINE) : await openRedis(config, workspace.path);
    const stripe = config.offline ? off(OFFLINE) : await openStripe(config, { path: workspace.path, name });
    return {
      clickhouse: clickhouse.service,
      redis: redis.service,
      stripe: stripe.service,
      workspace: workspace.path,
      unsent: workspace.unsent,
      close: () => closeAll(clickhouse.close, redis.close, stripe.close, workspace.close),
    };
  } catch (error) {
    workspace.close();
    throw error;
  }
}
