// Reports usage to Stripe until it is done or killed; exit code 0 when every report was taken.
// Tells its parent when it begins. Argument: JSON of { clickhouseUrl, stripeUrl, now, rows }.
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import Stripe from 'stripe';
import {
  ensureCatalogue,
  openReportLedger,
  StripeBillingManager,
  UsageSyncService,
} from '../../.build/billing/index.js';

const { clickhouseUrl, stripeUrl, now, rows } = JSON.parse(process.argv[2]);
const clickhouse = createClient({
  url: clickhouseUrl,
  clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
  log: { level: ClickHouseLogLevel.OFF },
});
const { hostname: host, port } = new URL(stripeUrl);
const stripe = new Stripe('sk_test_local', {
  host,
  port,
  protocol: 'http',
  maxNetworkRetries: 1,
  telemetry: false,
});
const catalogue = await ensureCatalogue(stripe);
const billing = new StripeBillingManager(stripe, { catalogue, now: () => new Date(now) });
const sync = new UsageSyncService(billing, { ledger: await openReportLedger(clickhouse), backoffMs: 1 });
process.send('begins');
const results = await sync.syncDailyUsage(rows);
await clickhouse.close();
process.exit(results.every(({ success }) => success) ? 0 : 1);
