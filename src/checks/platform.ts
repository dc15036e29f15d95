/** What the checks of the whole service work with: the running server, and the clock that it lives by. */
import type { ClickHouseClient } from '@clickhouse/client';
import type { Books } from '../billing/reconcile/books.js';
import type { TestClock } from '../billing/test-clock.js';
import type { UsageTracker } from '../metering/tracker.js';
import type { TenantLifecycle } from '../tenants/lifecycle.js';

export interface Platform {
  /** Of the server, e.g. `http://127.0.0.1:40123`. */
  readonly url: string;
  /** The server's and Stripe's: a month passes in a second. */
  readonly clock: Pick<TestClock, 'now' | 'advanceTo'>;
  /** `local`, or a sandbox at Stripe. */
  readonly stripe: 'local' | 'sandbox';
  readonly clickhouse: ClickHouseClient;
  /** The server's; `flush()` stores what was tracked. */
  readonly tracker: Pick<UsageTracker, 'track' | 'flush'>;
  readonly lifecycle: Pick<TenantLifecycle, 'read' | 'transition'>;
  /** The server's billing, as the reconciliation reads it. */
  readonly books: () => Books;
  /** What the server does every hour, now: it reports usage, reminds, and looks who owes. */
  readonly round: () => Promise<void>;
  /** The next so many changes of plan wait for each other, and then go on at the same instant. */
  readonly gather: (changes: number) => void;
}
