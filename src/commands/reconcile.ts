/** `npm run reconcile`: what ClickHouse and Stripe tell differently, and its repair. */
import { parseArgs } from 'node:util';
import { billSampleMonth } from '../billing/bill-sample-month.js';
import { StripeBillingManager } from '../billing/billing-manager.js';
import { ensureCatalogue } from '../billing/catalogue.js';
import type { Books } from '../billing/reconcile/books.js';
import { differenceLines, differenceRows } from '../billing/reconcile/difference.js';
import { leftCreditLine, leftCredits } from '../billing/reconcile/left-credits.js';
import { type ReconcileOptions, reconcile } from '../billing/reconcile/reconcile.js';
import { repairDifferences } from '../billing/reconcile/repair-differences.js';
import { openReportLedger } from '../billing/report-ledger.js';
import { readConfig } from '../config.js';
import { loadSampleMonth, SAMPLE_MONTH, SAMPLE_NOW } from '../metering/sample-month.js';
import { sampleTenants } from '../metering/sample-tenants.js';
import { createTables } from '../metering/tables.js';
import { parseMonth } from '../period.js';
import { allOf } from '../service.js';
import { openServices } from '../services/open-services.js';
import { refuseUnknownTenants } from './refuse-unknown-tenants.js';
import { runCommand } from './run-command.js';

const HELP = `npm run reconcile -- [--month MONTH]… [--tenant ID]… [--repair] [--dry-run] [--json]

Compares usage in ClickHouse with Stripe's meter, tenants with subscriptions, and our plan invoices with
Stripe's, line by line; and lists credits of tenants that have left. Exit 1 if there is any of it (after the
repair, with --repair), 2 if it cannot compare.

  --month MONTH  e.g. 2025-11; default: this month and the last
  --tenant ID    only this one; default: all
  --repair       mends what can be mended; the rest is left to a person, and said. Without it nothing is
                 written at Stripe
  --dry-run      with --repair: only says what would be done
  --json         the differences as JSON

Works on CLICKHOUSE_URL and STRIPE_API_KEY. With neither set it lives the sample month at a local Stripe first,
and compares that.
`;

const list = { type: 'string', multiple: true } as const;
const flag = { type: 'boolean', default: false } as const;

await runCommand(HELP, async (args) => {
  const options = { month: list, tenant: list, repair: flag, 'dry-run': flag, json: flag };
  const { values } = parseArgs({ args, options });
  const { month: months, tenant: tenantIds, repair, 'dry-run': dryRun, json } = values;
  // Before the sample is lived, which takes some seconds.
  months?.forEach(parseMonth);
  if (dryRun && !repair)
    throw new RangeError('Cannot take --dry-run without --repair: nothing is done anyway');
  const asked = { ...(months && { months }), ...(tenantIds && { tenantIds }) };
  const say = json ? console.error : console.log;
  return withBooks({ say, asked, readOnly: !repair || dryRun }, async (books) => {
    let differences = await reconcile(books, asked);
    await refuseUnknownTenants(books, tenantIds ?? [], differences);
    if (repair) {
      for (const line of differenceLines(differences)) say(line);
      for (const { tenant, repair: what, outcome, error } of await repairDifferences(differences, books, {
        dryRun,
      }))
        say(`${outcome}: ${tenant}: ${what}${error ? ` (${error})` : ''}`);
      if (!dryRun) differences = await reconcile(books, asked);
    }
    const credits = await leftCredits(books, asked);
    for (const credit of credits) say(leftCreditLine(credit));
    if (json) console.log(JSON.stringify(differenceRows(differences), undefined, 2));
    else if (!(repair && dryRun)) for (const line of differenceLines(differences)) console.log(line);
    return differences.length + credits.length > 0 ? 1 : 0;
  });
});

interface Opening {
  readonly say: (line: string) => void;
  readonly asked: ReconcileOptions;
  /** Whether nothing may be written at Stripe. */
  readonly readOnly: boolean;
}

async function withBooks(
  { say, asked, readOnly }: Opening,
  work: (books: Books) => Promise<number>,
): Promise<number> {
  const config = readConfig();
  const isSample = !config.clickhouse && !config.stripe;
  const workspace = isSample ? 'reconcile-sample' : 'reconcile';
  const services = await openServices({ workspace, reset: isSample, config });
  try {
    const { clickhouse, stripe } = services;
    const both = allOf({ clickhouse, stripe });
    if (both.mode === 'off') {
      say(`⚠️  Skipping (${both.skip})`);
      return 0;
    }
    if (isSample) refuseBeyondSample(asked);
    refuseToCome(asked, isSample ? SAMPLE_NOW : new Date());
    return await work(await (isSample ? sampleBooks(both.client, say) : ownBooks(both.client, readOnly)));
  } finally {
    await services.close();
  }
}

/** Before the sample is lived, which takes some seconds. */
function refuseBeyondSample({ tenantIds = [] }: ReconcileOptions): void {
  const sample = sampleTenants({ events: readConfig().sampleEvents, month: SAMPLE_MONTH });
  for (const tenantId of tenantIds)
    if (!sample.some((tenant) => tenant.tenantId === tenantId))
      throw new RangeError(
        `Cannot compare --tenant ${JSON.stringify(tenantId)}: the sample has no such tenant`,
      );
}

function refuseToCome({ months = [] }: ReconcileOptions, now: Date): void {
  for (const month of months)
    if (parseMonth(month).start > now)
      throw new RangeError(`Cannot compare --month ${month}: it has not begun`);
}

type Clients = Pick<Books, 'clickhouse' | 'stripe'>;

async function ownBooks({ clickhouse, stripe }: Clients, readOnly: boolean): Promise<Books> {
  await createTables(clickhouse);
  const catalogue = await ensureCatalogue(stripe, { readOnly });
  const billing = new StripeBillingManager(stripe, { catalogue });
  return {
    clickhouse,
    stripe,
    billing,
    catalogue,
    ledger: await openReportLedger(clickhouse),
    now: new Date(),
  };
}

async function sampleBooks({ clickhouse, stripe }: Clients, say: (line: string) => void): Promise<Books> {
  await createTables(clickhouse);
  say('… Living the sample month at the local Stripe');
  const { tenants } = await loadSampleMonth(clickhouse, { events: readConfig().sampleEvents });
  return billSampleMonth(clickhouse, stripe, { tenants });
}
