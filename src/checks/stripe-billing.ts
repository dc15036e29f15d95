/** Check 2 of M12.4 → M13.1: a tenant's invoice at Stripe is its metered usage, line by line. */
import { type ChainRow, followChain } from '../billing/follow-chain.js';
import type { Books } from '../billing/reconcile/books.js';
import { readInvoicedLines } from '../billing/reconcile/read-invoiced-lines.js';
import { formatCents } from '../money.js';
import { GRACE_MS, HOUR_MS, monthOf } from '../period.js';
import { PLANS } from '../plans.js';
import type { Service } from '../service.js';
import { type CheckResult, runCheck } from './check.js';
import type { Platform } from './platform.js';
import { type TestTenant, withTenants } from './test-tenant.js';

/** Queries of the month: the starter's allowance, and 450 of overage. */
const QUERIES = PLANS.starter.includedQueries + 450;

/** Of them over HTTP; the others would need some weeks of a starter's daily quota. */
const ASKED = 5;

/** Days on which the others were, so that Stripe is told of several. */
const DAYS = 10;

/** A time after the month's invoice is final, and charged. */
const SETTLED_MS = GRACE_MS + 2 * HOUR_MS;

export interface StripeBillingOptions {
  /** Reports the month's usage to Stripe. @default what the server does every hour */
  readonly reportUsage?: (platform: Platform) => Promise<unknown>;
}

/**
 * A month of a test tenant on the platform's clock: some queries over HTTP, the others through the server's
 * tracker, until Stripe has billed and charged them.
 *
 * @example const result = await checkStripeBilling(platform.service);
 */
export function checkStripeBilling(
  platform: Service<Platform>,
  { reportUsage = ({ round }) => round() }: StripeBillingOptions = {},
): Promise<CheckResult> {
  return runCheck(platform, {
    id: 'stripe-billing',
    title: 'Stripe billing',
    expected: [
      '10,450 queries: events = rollup = meter = quantity on the lines of the invoice',
      'the invoice says $29.45 and is paid, and our plan invoice says the same, line by line',
    ],
    advice:
      'Mend M12.2 before going on: the first hop that differs is the one to mend (report-days.ts, usage-sync.ts); a wrong invoice costs $500–2,000 per dispute',
    test: async (client) => {
      const { clock, books } = client;
      // From the 1st on: who comes later pays a part of the first fee, which is on no plan invoice of ours.
      const { start, end } = monthOf(clock.now());
      if (clock.now() > start) await clock.advanceTo(end);
      return withTenants(client.url, ['starter'], async ([one]) => {
        const month = monthOf(clock.now());
        const tenant = one as TestTenant;
        await use(client, tenant);
        await reportUsage(client);
        await clock.advanceTo(new Date(month.end.getTime() + SETTLED_MS));
        const asked = { month: month.name, tenantIds: [tenant.tenantId] };
        const [row] = await followChain(books(), asked);
        const lines = (await readInvoicedLines(books(), asked)).get(tenant.tenantId) ?? [];
        const stripe = client.stripe === 'local' ? 'the local Stripe' : 'a Stripe sandbox (sk_test_…)';
        return {
          problems: [
            ...(row ? brokenHops(row) : ['the month is nowhere']),
            ...(await unpaid(books(), tenant)),
          ],
          evidence: [
            `${count(QUERIES)} queries at ${stripe}: events = rollup = meter = quantity on the lines`,
            `Stripe billed and charged $${row?.stripeInvoice}, and our plan invoice says so, line by line:`,
            ...lines.map((line) => `${line.description}: $${formatCents(BigInt(line.amount_cents))}`),
          ],
        };
      });
    },
  });
}

const count = (queries: number) => queries.toLocaleString('en-US');

/** The month passes with its queries. */
async function use({ clock, tracker }: Platform, { tenantId, ask }: TestTenant): Promise<void> {
  const { end } = monthOf(clock.now());
  const step = Math.floor((end.getTime() - clock.now().getTime()) / DAYS);
  for (let asked = 0; asked < ASKED; asked += 1) {
    const { status } = await ask('What is on my invoice?');
    if (status !== 200) throw new Error(`a query got ${status}, not 200`);
  }
  await clock.advanceTo(end);
  for (let query = ASKED; query < QUERIES; query += 1) {
    const timestamp = new Date(end.getTime() - step * (query % DAYS) - 1);
    tracker.track({ tenantId, timestamp, model: 'gpt-4o', tokensInput: 170, tokensOutput: 12 });
  }
  await tracker.flush();
}

/** By now each invoice of the tenant has been charged. */
async function unpaid({ billing }: Books, { tenantId }: TestTenant): Promise<string[]> {
  const invoices = await billing.invoicesOf(await billing.customerFor({ tenantId }));
  return invoices
    .filter(({ status }) => status !== 'paid')
    .map(
      ({ status, totalCents }) => `an invoice of $${formatCents(BigInt(totalCents))} is ${status}, not paid`,
    );
}

/** Where the queries are not what was asked, or the amounts differ. */
function brokenHops(row: ChainRow): string[] {
  const { events, rollup, meter, stripeLines, planInvoice, stripeInvoice } = row;
  const problems = Object.entries({ events, rollup, 'meter at Stripe': meter, lines: stripeLines })
    .filter(([, queries]) => queries !== QUERIES)
    .map(([hop, queries]) => `${hop}: ${count(queries)} queries, ${count(QUERIES)} were answered`);
  if (planInvoice !== stripeInvoice)
    problems.push(`our plan invoice says $${planInvoice}, Stripe's $${stripeInvoice}`);
  if (problems.length === 0 && row.differences > 0) problems.push(`${row.differences} hops or lines differ`);
  return problems;
}
