// The daily report of usage to the local Stripe in the process: tenants a second, ledger and all.
import {
  ensureCatalogue,
  openReportLedger,
  StripeBillingManager,
  UsageSyncService,
} from 'meterbridge/billing';
import { createLocalStripe } from '../../.build/local-stripe/create-local-stripe.js';
import { withEngine } from './engine.mjs';
import { median, seconds } from './pairs.mjs';

export const names = ['usage_sync.tenants_s'];

const TENANTS = 1_000;
const DAYS = ['2025-11-17', '2025-11-18', '2025-11-19'];
const now = () => new Date('2025-11-20T00:00:00Z');

export async function run(report) {
  await withEngine(async ({ clickhouse }) => {
    const stripe = createLocalStripe({ now }).client();
    const billing = new StripeBillingManager(stripe, { catalogue: await ensureCatalogue(stripe), now });
    const ids = Array.from({ length: TENANTS }, (_, index) => `tenant-${index}`);
    for (const tenantId of ids) {
      await billing.createCustomer({ tenantId, email: 'billing@example.com', name: tenantId });
    }
    const sync = new UsageSyncService(billing, { ledger: await openReportLedger(clickhouse) });
    const took = [];
    for (const date of DAYS) {
      const rows = ids.map((tenant_id, index) => ({ tenant_id, date, query_count: index }));
      took.push(
        await seconds(async () => {
          const results = await sync.syncDailyUsage(rows);
          if (!results.every(({ success }) => success)) throw new Error('a report failed');
        }),
      );
    }
    report({
      name: 'usage_sync.tenants_s',
      value: TENANTS / median(took),
      unit: 'tenants/s',
      against: `a day of ${TENANTS} tenants, to the local Stripe in the process`,
    });
  });
}
