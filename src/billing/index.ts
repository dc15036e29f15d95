/** What a notebook imports from `meterbridge/billing`: Stripe, from the customer to the reconciliation. */
export { DunningLedger, type DunningRecord } from '../dunning/dunning-ledger.js';
export {
  DunningManager,
  type DunningManagerOptions,
  type DunningOutcome,
} from '../dunning/dunning-manager.js';
export { DUNNING_POLICY, type DunningAction, type DunningPolicy, dueSteps } from '../dunning/ladder.js';
export type { StripeClient } from '../stripe-client.js';
export { readStanding, type Standing } from '../tenants/standing.js';
export { type BilledMonth, billSampleMonth } from './bill-sample-month.js';
export { type BillingManagerOptions, StripeBillingManager } from './billing-manager.js';
export { type Catalogue, ensureCatalogue, type PlanPrices } from './catalogue.js';
export { type DailyUsage, readDailyUsage } from './daily-usage.js';
export { type ChainOptions, type ChainRow, followChain } from './follow-chain.js';
export { openReportLedger, type ReportLedger } from './report-ledger.js';
export type * from './shapes.js';
export { openTestClock, type TestClock } from './test-clock.js';
export { type SyncResult, type UsageRow, type UsageSyncOptions, UsageSyncService } from './usage-sync.js';
export { type Forwarded, type ForwardOptions, webhookForwarder } from './webhooks/forward-webhooks.js';
export { verifyWebhookSignature, type WebhookEvent } from './webhooks/verify-webhook.js';
export { type DeadLetter, WebhookQueue, type WebhookQueueOptions } from './webhooks/webhook-queue.js';
