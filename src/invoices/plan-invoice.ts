/**
 * The plan invoice: what a tenant owes at a month's end, line by line as Stripe words it. Usage
 * of the month that ended, in arrears; the base fee of the month that begins, in advance; and
 * for a change of plan in between the unused part of the old fee and the remaining part of the
 * new one. Each plan's segment of the month has a full allowance, and a trial bills nothing.
 */
import type { ClickHouseClient } from '@clickhouse/client';
import { parseInput, tenantId as tenantIdSchema } from '../input.js';
import { isBilled, type TenantTerms, tenantTermsIn } from '../metering/tenants.js';
import { CENT, type Cents, formatUsd } from '../money.js';
import { closingOf, dayOf, type Month, monthOf, parseMonth } from '../period.js';
import { PLANS } from '../plans.js';
import { readIssued } from './issued.js';
import { lateLines } from './late-lines.js';
import { prorate } from './proration.js';
import { type Sealed, seal } from './seal.js';
import { daysOf, queriesIn, type Segment, segmentsOf, usageLines } from './segments.js';

export interface PlanLine {
  readonly kind: 'usage' | 'base' | 'proration';
  readonly description: string;
  readonly quantity: number;
  /** Dollars for one unit, with eight places; absent where there is no one price. */
  readonly unit_price_usd?: string;
  readonly amount_cents: number;
  /** First and last UTC day that the line is for. */
  readonly first_day: string;
  readonly last_day: string;
}

export interface PlanInvoice {
  readonly kind: 'plan';
  readonly tenant_id: string;
  readonly month: string;
  readonly invoice_date: string;
  readonly currency: 'usd';
  readonly lines: readonly PlanLine[];
  readonly total_queries: number;
  readonly amount_due_cents: number;
}

/**
 * Makes the plan invoice of one month from the tenant's terms and its de-duplicated events. A month
 * that was issued comes out as it was issued.
 *
 * @throws RangeError for a wrong month or a tenant without terms, InvalidInputError for a malformed tenant id.
 * @example
 * // 18,450 queries of overage and December's base fee
 * (await makePlanInvoice(clickhouse, { tenantId: 'acme-corp', month: '2025-11' })).invoice.amount_due_cents // 4745
 */
export async function makePlanInvoice(
  clickhouse: ClickHouseClient,
  { tenantId, month: name }: { tenantId: string; month: string },
): Promise<Sealed<PlanInvoice>> {
  const month = parseMonth(name);
  parseInput(tenantIdSchema, 'tenant id', tenantId);
  const all = await readIssued(clickhouse, { tenantIds: [tenantId], month, kind: 'plan' });
  const issued = all.get(tenantId) ?? { own: undefined, before: [], since: month };
  if (issued.own) return issued.own;
  // With the terms that begin at the month's end: they decide on the fee in advance.
  const period = { start: month.start, end: new Date(month.end.getTime() + 1) };
  const terms = await tenantTermsIn(clickhouse, { tenantId, period });
  const last = terms.at(-1);
  if (!last || !terms[0] || terms[0].effectiveFrom >= month.end)
    throw new RangeError(`Cannot make plan invoice: ${tenantId} has no plan in ${month.name}`);
  const segments = segmentsOf(terms, month);
  const usage: PlanLine[] = [];
  for (const segment of segments)
    usage.push(...usageLines(segment, await queriesIn(clickhouse, tenantId, segment, closingOf(month))));
  const lines = [
    ...segments.flatMap((segment, index) => prorationLines(segments[index - 1], segment, month)),
    ...(await lateLines(clickhouse, tenantId, month, issued)),
    ...usage,
    ...(isBilled(last, month.end) ? [baseLine(last, month)] : []),
  ];
  return seal({
    kind: 'plan',
    tenant_id: tenantId,
    month: month.name,
    invoice_date: month.lastDay,
    currency: 'usd',
    lines,
    total_queries: lines.reduce((sum, { kind, quantity }) => sum + (kind === 'usage' ? quantity : 0), 0),
    amount_due_cents: lines.reduce((sum, line) => sum + line.amount_cents, 0),
  });
}

function prorationLines(before: Segment | undefined, segment: Segment, month: Month): PlanLine[] {
  if (!before || segment.isAnew) return [];
  const charged = ({ start, terms }: Segment) =>
    prorate(PLANS[terms.plan].baseCents, { from: start, period: month });
  // Of what was charged, which for a part of the month was rounded before.
  const unused = prorate(-charged(before), {
    from: segment.start,
    period: { start: before.start, end: month.end },
  });
  const line = (plan: TenantTerms['plan'], text: string, amount: Cents): PlanLine => ({
    kind: 'proration',
    description: `${text} ${plan} after ${dayOf(segment.start)}`,
    quantity: 1,
    amount_cents: Number(amount),
    ...daysOf({ start: segment.start, end: month.end }),
  });
  return [
    line(before.terms.plan, 'Unused time on', unused),
    line(segment.terms.plan, 'Remaining time on', charged(segment)),
  ];
}

function baseLine(terms: TenantTerms, month: Month): PlanLine {
  const plan = PLANS[terms.plan];
  const next = monthOf(month.end);
  return {
    kind: 'base',
    description: `${plan.name} base fee`,
    quantity: 1,
    unit_price_usd: formatUsd(plan.baseCents * CENT),
    amount_cents: Number(plan.baseCents),
    ...daysOf(next),
  };
}
