/** What is compared, and what repairs are made with. */
import type { ClickHouseClient } from '@clickhouse/client';
import type { StripeClient } from '../../stripe-client.js';
import type { StripeBillingManager } from '../billing-manager.js';
import type { Catalogue } from '../catalogue.js';
import type { ReportLedger } from '../report-ledger.js';
import type { TestClock } from '../test-clock.js';

export interface Books {
  readonly clickhouse: ClickHouseClient;
  readonly stripe: StripeClient;
  readonly billing: StripeBillingManager;
  readonly catalogue: Catalogue;
  readonly ledger: ReportLedger;
  readonly now: Date;
  /** The clock on which customers live: Stripe lists them apart. @default none: the real time */
  readonly testClock?: Pick<TestClock, 'ids'> | undefined;
}
