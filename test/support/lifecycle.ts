import type { ClickHouseClient } from '@clickhouse/client';
import type { RedisClient } from '../../src/redis-client.js';
import { TenantLifecycle } from '../../src/tenants/lifecycle.js';
import type { LifecycleEntry } from '../../src/tenants/lifecycle-entry.js';
import type { TransitionRequest } from '../../src/tenants/next-entry.js';

/** A lifecycle on a clock that stands still until it is set. */
export interface LifecycleBench {
  readonly lifecycle: TenantLifecycle;
  /** Sets the clock, e.g. to `2025-11-15T12:00:00Z`. */
  setClock(instant: string): void;
  /** Asks for events of one tenant, one after the other, each with what it needs; gives the last entry. */
  walk(tenantId: string, ...events: TransitionRequest['event'][]): Promise<LifecycleEntry>;
}

/** When the bench's clock begins. */
export const BEGINNING = '2025-11-15T12:00:00.000Z';

/** Events from signup to each state. */
export const TO = {
  active: ['sign_up', 'pay', 'complete'],
  upgrading: ['sign_up', 'pay', 'complete', 'upgrade'],
  deleted: ['sign_up', 'pay', 'complete', 'delete'],
} as const satisfies Record<string, readonly TransitionRequest['event'][]>;

/** @example const { walk } = await lifecycleBench(engine); await walk('acme-corp', ...TO.active); */
export async function lifecycleBench(engine: {
  redis: RedisClient;
  clickhouse: ClickHouseClient;
}): Promise<LifecycleBench> {
  let now = new Date(BEGINNING);
  const lifecycle = await TenantLifecycle.open(engine.redis, engine.clickhouse, { now: () => now });
  return {
    lifecycle,
    setClock(instant) {
      now = new Date(instant);
    },
    async walk(tenantId, ...events) {
      let entry: LifecycleEntry | undefined;
      for (const event of events) {
        const { version } = entry ?? (await lifecycle.read(tenantId)) ?? {};
        const ends = event === 'complete' || event === 'fail';
        const plan = { sign_up: 'starter', upgrade: 'pro', downgrade: 'starter' } as const;
        entry = await lifecycle.transition({
          tenantId,
          event,
          by: 'test',
          ...(ends && { version }),
          ...(event in plan && { plan: plan[event as keyof typeof plan] }),
        });
      }
      return entry as LifecycleEntry;
    },
  };
}
