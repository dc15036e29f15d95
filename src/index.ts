/** What a notebook imports from `meterbridge`; Stripe is in `meterbridge/billing`, what shows results in `meterbridge/notebook`. */
export type { CheckResult, Report } from './checks/check.js';
export { checkDashboardPerformance } from './checks/dashboard-performance.js';
export { checkDataAccuracy } from './checks/data-accuracy.js';
export { checkImmutableCost, type InvoiceMaker } from './checks/immutable-cost.js';
export { checkMeteringToBilling } from './checks/metering-to-billing.js';
export { checkQuotaEnforcement } from './checks/quota-enforcement.js';
export { apart, Config, onboardingService, readConfig } from './config.js';
export {
  type DashboardRequest,
  type LoadedPanel,
  loadDashboard,
  tablesRead,
} from './dashboard/load-dashboard.js';
export { PANELS, type Panel } from './dashboard/panels.js';
export * from './errors.js';
export {
  type CostInvoice,
  type CostLine,
  makeCostInvoice,
  makeCostInvoices,
} from './invoices/cost-invoice.js';
export { invoiceCsv } from './invoices/csv.js';
export { makePlanInvoice, type PlanInvoice, type PlanLine } from './invoices/plan-invoice.js';
export { prorate } from './invoices/proration.js';
export { type Sealed, seal, sha256 } from './invoices/seal.js';
export { issueInvoice, readSnapshot } from './invoices/snapshot.js';
export { type Tier, type TierLine, tierLines } from './invoices/tiers.js';
export { compareRollups, type RollupDifference } from './metering/compare-rollups.js';
export { costOf, type ModelPrice, PRICE_TABLES, type PriceTable, priceTableAt } from './metering/costs.js';
export { deleteUsage } from './metering/delete-usage.js';
export { type EncodedBatch, encodeBatch } from './metering/encode-batch.js';
export { createEvent, type UsageEvent } from './metering/event.js';
export type { EventInput } from './metering/event-input.js';
export {
  type ExampleData,
  examplePlans,
  loadExampleUsage,
  readExampleData,
} from './metering/example-data.js';
export { insertBatch } from './metering/insert-batch.js';
export { rebuildRollups } from './metering/rebuild-rollups.js';
export {
  loadSampleMonth,
  restoreSampleTenant,
  SAMPLE_MONTH,
  SAMPLE_NOW,
} from './metering/sample-month.js';
export { createTables } from './metering/tables.js';
export { isBilled, recordTenants, type TenantTerms, tenantsAt } from './metering/tenants.js';
export { type ReportUsage, trackUsage } from './metering/track-usage.js';
export { UsageTracker } from './metering/tracker.js';
export type { TrackerStats, UsageTrackerOptions } from './metering/tracker-options.js';
export { readUsage, type TenantUsage } from './metering/usage.js';
export { CENT, type Cents, formatCents, formatUsd, parseUsd, toCents, USD, type Usd } from './money.js';
export { consoleNotifier, type Notice, type Notifier, webhookNotifier } from './notifier.js';
export { dayOf, type Month, monthOf, type Period, parseMonth, previousMonth } from './period.js';
export { limitsOf, PLANS, type Plan, type PlanName, QUOTA_MARKS } from './plans.js';
export { inProcessQuotaGate } from './quotas/in-process-quota-gate.js';
export { overageMonitor, type QuotaAlert } from './quotas/overage-monitor.js';
export type { QuotaDecision, QuotaGate, QuotaRequest } from './quotas/quota-gate.js';
export { redisQuotaGate } from './quotas/redis-quota-gate.js';
export { steadyQuotaGate } from './quotas/steady-quota-gate.js';
export { usedTodayFrom } from './quotas/used-today.js';
export { type Answer, type Answerer, stubAnswerer } from './server/answer.js';
export { type AppOptions, createApp } from './server/app.js';
export { type Listening, listen } from './server/listen.js';
export { withQuotaTrial } from './server/quota-trial.js';
export { allOf, type Service } from './service.js';
export { describeServices } from './services/describe-services.js';
export { openServices, type Services } from './services/open-services.js';
export { ApiKeys } from './tenants/api-keys.js';
