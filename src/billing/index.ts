/** What a notebook imports from `meterbridge/billing`: Stripe and the whole service, from the customer to the checks of both. */
export { checkLifecycleToIntegration } from '../checks/lifecycle-to-integration.js';
export { checkLifecycle } from '../checks/lifecycle-transitions.js';
export type { Platform } from '../checks/platform.js';
export { checkOnboarding } from '../checks/self-service-onboarding.js';
export { checkStripeBilling } from '../checks/stripe-billing.js';
export { onboarded, signUp, type TestTenant } from '../checks/test-tenant.js';
export { checkUsageMetering } from '../checks/usage-metering.js';
export { DunningLedger } from '../dunning/dunning-ledger.js';
export { DunningManager } from '../dunning/dunning-manager.js';
export { DUNNING_POLICY, type DunningAction, type DunningPolicy, dueSteps } from '../dunning/ladder.js';
export { type OpenPlatform, type OtherParts, openPlatform } from '../server/platform.js';
export { type StartedWebhooks, startWebhooks, type WebhookServices } from '../server/start-webhooks.js';
export { addTenantRoutes } from '../server/tenant-routes.js';
export { type WebhookRouteOptions, webhookRoute } from '../server/webhook-route.js';
export type { StripeClient } from '../stripe-client.js';
export type { Standing } from '../tenants/gate-entry.js';
export { readLifecycleLog } from '../tenants/lifecycle-log.js';
export { LIFECYCLE, TRANSITIONS } from '../tenants/lifecycle-table.js';
export { type BilledMonth, billSampleMonth } from './bill-sample-month.js';
export * from './billing-errors.js';
export { StripeBillingManager } from './billing-manager.js';
export { type Catalogue, ensureCatalogue, type PlanPrices } from './catalogue.js';
export { chargeHeldDrafts } from './charge-held-drafts.js';
export { type DailyUsage, readDailyUsage } from './daily-usage.js';
export { type ChainOptions, type ChainRow, followChain } from './follow-chain.js';
export type { Books } from './reconcile/books.js';
export { type Difference, differenceLines, differenceRows } from './reconcile/difference.js';
export { type LeftCredit, leftCreditLine, leftCredits } from './reconcile/left-credits.js';
export { type ReconcileOptions, reconcile } from './reconcile/reconcile.js';
export { remindOnce } from './reconcile/remind-once.js';
export { type RepairResult, repairDifferences } from './reconcile/repair-differences.js';
export {
  incompleteSubscriptions,
  trialsWithoutCard,
  type WatchedSubscription,
} from './reconcile/watched-subscriptions.js';
export { type ReportingDays, reportBeforeChange, reportDays } from './report-days.js';
export { openReportLedger, type ReportLedger } from './report-ledger.js';
export type * from './shapes.js';
export { openTestClock, type TestClock } from './test-clock.js';
export { type SyncResult, type UsageRow, type UsageSyncOptions, UsageSyncService } from './usage-sync.js';
export { catchUpWebhooks, listWebhookEvents } from './webhooks/catch-up-webhooks.js';
export { type Forwarded, type ForwardOptions, webhookForwarder } from './webhooks/forward-webhooks.js';
export { type WebhookContext, webhookHandler } from './webhooks/handle-webhook.js';
export { verifyWebhookSignature } from './webhooks/verify-webhook.js';
export type { WebhookEvent } from './webhooks/webhook-event.js';
export { type DeadLetter, WebhookQueue, type WebhookQueueOptions } from './webhooks/webhook-queue.js';
