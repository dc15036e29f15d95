/**
 * The whole service on a clock of its own: server, workers and a Stripe whose months pass when they are
 * told to. What the readiness checks and the second bridge work with.
 */
import { openTestClock } from '../billing/test-clock.js';
import type { Platform } from '../checks/platform.js';
import { closeAll } from '../close-all.js';
import { deleteUsage } from '../metering/delete-usage.js';
import { SAMPLE_NOW } from '../metering/sample-month.js';
import { createTables } from '../metering/tables.js';
import { allOf, type Service } from '../service.js';
import type { Services } from '../services/open-services.js';
import type { AppOptions } from './app.js';
import { type Gathering, gatheringOf } from './gathering.js';
import { type StartServerOptions, startServer } from './start-server.js';
import type { StartedTenants } from './start-tenants.js';

export interface PlatformOptions extends Pick<StartServerOptions, 'answerer'> {
  /** Where its clock begins. @default SAMPLE_NOW */
  readonly start?: Date;
}

/** Puts another part in the place of one, as a lesson does that shows what breaks. */
export type OtherParts = (own: AppOptions, tenants: StartedTenants) => AppOptions;

type Work<Result> = (platform: Service<Platform>) => Promise<Result>;

export interface OpenPlatform {
  /** Off where one of its services is, and when it is closed. */
  readonly service: Service<Platform>;
  /** Does a piece of work while other parts are in place. */
  withParts<Result>(parts: OtherParts, work: Work<Result>): Promise<Result>;
  /** Lets what runs come to its end; the clock's customers at Stripe go. */
  close(): Promise<void>;
}

/**
 * One at a time in a workspace: two would do each other's jobs.
 *
 * @example
 * const platform = await openPlatform(services);
 * await checkUsageMetering(platform.service);
 * await platform.close();
 */
export async function openPlatform(
  services: Services,
  { start = SAMPLE_NOW, ...options }: PlatformOptions = {},
): Promise<OpenPlatform> {
  const all = allOf({ clickhouse: services.clickhouse, redis: services.redis, stripe: services.stripe });
  if (all.mode === 'off')
    return { service: all, withParts: (_, work) => work(all), close: async () => undefined };
  const { clickhouse, stripe } = all.client;
  await createTables(clickhouse);
  const clock = openTestClock(stripe, { start, name: 'readiness' });
  const { url, tracker, tenants, exchange, ...server } = await startServer(services, {
    ...{ ...options, now: clock.now, testClock: clock, trialDays: 0 },
    // What is told to tenants, and of purges, would stand between the lines of a check.
    ...{ notifier: { notify: async () => undefined }, onPurge: async () => undefined },
  });
  if (!tenants) throw new Error('Cannot open the platform: its tenants did not start');
  let gathering: Gathering | undefined;
  const put = (parts: OtherParts = (own) => own) => exchange((own) => gathered(parts(own, tenants)));
  put();
  const client: Platform = {
    ...{ url, clock, clickhouse, tracker, lifecycle: tenants.lifecycle },
    stripe: services.stripe.mode === 'embedded' ? 'local' : 'sandbox',
    ...{ books: tenants.books, round: tenants.round },
    gather: (changes) => {
      gathering = gatheringOf(changes);
    },
  };
  let service: Service<Platform> = { mode: all.mode, client, address: url };
  return {
    get service() {
      return service;
    },
    withParts(parts, work) {
      put(parts);
      return work(service).finally(put);
    },
    async close() {
      if (service.mode === 'off') return;
      service = { mode: 'off', skip: 'this platform is closed' };
      const customers = await tenants.billing.allCustomers();
      await closeAll(
        server.close,
        // With its customer a tenant's usage goes: nobody could report it any more.
        () => deleteUsage(clickhouse, { tenantId: [...customers.keys()] }),
        () => clock.remove(),
      );
    },
  };

  /** Changes of plan wait for each other where that was asked for. */
  function gathered(own: AppOptions): AppOptions {
    const tenantRoutes: AppOptions['tenantRoutes'] = (app) => {
      app.use('/api/tenants/:id/plan', async (_, next) => {
        await gathering?.arrive();
        await next();
      });
      own.tenantRoutes?.(app);
    };
    return { ...own, tenantRoutes };
  }
}
