/** What should stand at Stripe for a tenant's month: our plan invoice, and the fees of who comes and goes. */
import type { ClickHouseClient } from '@clickhouse/client';
import { makePlanInvoice, type PlanLine } from '../../invoices/plan-invoice.js';
import { prorate } from '../../invoices/proration.js';
import { isBilled, type TenantTerms, tenantTermsIn } from '../../metering/tenants.js';
import type { Cents } from '../../money.js';
import { dayOf, HOUR_MS, type Month, monthOf, parseDay, parseMonth } from '../../period.js';
import { PLANS, type PlanName } from '../../plans.js';

export interface ExpectedLine extends PlanLine {
  readonly plan: PlanName;
  /** Whether it must be there by now. */
  readonly isDue: boolean;
}

/** Before its plan is told, and perhaps when it is due. */
type Draft = PlanLine & { readonly isDue?: boolean };

/** Stripe makes the invoice of a period within an hour or so of its end. */
const SETTLING_MS = HOUR_MS;

/** @example await expectedLines(clickhouse, { tenantId: 'acme-corp', month: '2025-11', now }) */
export async function expectedLines(
  clickhouse: ClickHouseClient,
  { tenantId, month: name, now }: { tenantId: string; month: string; now: Date },
): Promise<ExpectedLine[]> {
  const month = parseMonth(name);
  const period = { start: month.start, end: new Date(month.end.getTime() + 1) };
  const terms = await tenantTermsIn(clickhouse, { tenantId, period });
  const isInMonth = terms[0] && terms[0].effectiveFrom < month.end;
  const planned = isInMonth
    ? (await makePlanInvoice(clickhouse, { tenantId, month: name })).invoice.lines
    : [];
  const settled = new Date(now.getTime() - SETTLING_MS);
  const lines: Draft[] = [...planned, ...comingAndGoing(terms, month)];
  return lines.map((line) => ({
    ...line,
    plan: planIn(line.description),
    isDue: line.isDue ?? dueAt(line) <= settled,
  }));
}

/** Usage is billed after its segment, a fee from its beginning on. */
const dueAt = ({ kind, first_day, last_day }: PlanLine) =>
  kind === 'usage' ? parseDay(last_day).end : parseDay(first_day).start;

/** Our lines name their plan in words. */
function planIn(description: string): PlanName {
  const plan = Object.keys(PLANS).find((name) => description.split(' ').includes(name));
  if (!plan) throw new RangeError(`Cannot tell the plan of the line: ${description}`);
  return plan as PlanName;
}

/**
 * What the plan invoice, made at a month's end, has no line for. When a tenant begins to pay, Stripe
 * charges the rest of that month at once, or on the 1st the whole of it. When one leaves at once, the
 * unused time may be credited; whoever cancels decides, so that line is never due.
 */
function comingAndGoing(terms: readonly TenantTerms[], month: Month): Draft[] {
  const lines: Draft[] = [];
  let paid = paidAtStart(terms, month);
  for (const [index, { plan, state, effectiveFrom, trialEndsAt }] of terms.entries()) {
    if (state === 'deleted') {
      if (paid && effectiveFrom > month.start && effectiveFrom < month.end)
        lines.push(lastCredit(paid, effectiveFrom, month));
      paid = undefined;
    }
    const begins = new Date(Math.max(Number(effectiveFrom), Number(trialEndsAt ?? 0), Number(month.start)));
    const end = terms[index + 1]?.effectiveFrom ?? new Date(month.end.getTime() + 1);
    if (state !== 'active' || begins >= end || paid?.plan === plan) continue;
    const fee = { plan, from: begins };
    if (!paid && begins < month.end) lines.push(prorationLine('Remaining', fee, chargeOf(fee, month), month));
    // A tenant that was there before has this fee on its plan invoice.
    else if (!paid && index === 0 && effectiveFrom >= month.end) lines.push(wholeFee(plan, month));
    paid = fee;
  }
  return lines;
}

/** A fee that was charged up to the month's end. */
interface Paid {
  readonly plan: PlanName;
  readonly from: Date;
}

/** A suspended tenant's subscription goes on: its fee was charged too. */
function paidAtStart([first]: readonly TenantTerms[], { start }: Month): Paid | undefined {
  if (!first || first.effectiveFrom > start) return undefined;
  return first.state === 'suspended' || isBilled(first, start)
    ? { plan: first.plan, from: start }
    : undefined;
}

const chargeOf = ({ plan, from }: Paid, period: Month) => prorate(PLANS[plan].baseCents, { from, period });

/** Stripe credits a part of what it charged. */
function lastCredit(paid: Paid, from: Date, month: Month): Draft {
  const amount = prorate(-chargeOf(paid, month), { from, period: { start: paid.from, end: month.end } });
  return { ...prorationLine('Unused', { plan: paid.plan, from }, amount, month), isDue: false };
}

function prorationLine(verb: string, { plan, from }: Paid, amount: Cents, month: Month): Draft {
  const description = `${verb} time on ${plan} after ${dayOf(from)}`;
  const days = { first_day: dayOf(from), last_day: month.lastDay };
  return { kind: 'proration', description, quantity: 1, amount_cents: Number(amount), ...days };
}

function wholeFee(plan: PlanName, { end }: Month): Draft {
  const days = { first_day: dayOf(end), last_day: monthOf(end).lastDay };
  const amount = Number(PLANS[plan].baseCents);
  return { kind: 'base', description: `${plan} base fee`, quantity: 1, amount_cents: amount, ...days };
}
