/**
 * What mends a difference, as data: it can be read before it is done. Which side is followed depends on
 * the fact. ClickHouse knows what was used, and who was deleted. Stripe knows what is paid: whether a
 * subscription lives, and for which plan; there our records follow. Final invoices stay as they are, and
 * are corrected for the next one; one that nobody paid, and that bills nothing of its own, is void.
 */
import type { TenantTerms } from '../../metering/tenants.js';
import { formatCents } from '../../money.js';
import type { Period } from '../../period.js';
import type { PlanName } from '../../plans.js';

/** A line that makes up for what an invoice had too little, or below 0 too much. */
export interface Correction {
  readonly tenantId: string;
  readonly customerId: string;
  readonly subscriptionId: string;
  /** Of the plan invoice that it corrects, e.g. `2025-11`. */
  readonly month: string;
  readonly kind: 'usage' | 'base' | 'proration';
  readonly plan: PlanName;
  /** e.g. `starter queries` */
  readonly words: string;
  readonly period: Period;
  readonly queries: number;
  readonly amountCents: number;
  /** Counts the corrections of one line from 1. */
  readonly revision: number;
}

export type Repair =
  | {
      readonly does: 'report usage';
      readonly tenantId: string;
      readonly subscriptionId?: string | undefined;
      readonly day: string;
      readonly queries: number;
    }
  | { readonly does: 'correct invoice'; readonly correction: Correction }
  | { readonly does: 'void invoice'; readonly invoiceId: string; readonly amountCents: number }
  | {
      readonly does: 'subscribe';
      readonly tenantId: string;
      readonly customerId: string;
      readonly plan: PlanName;
      readonly trialEndsAt?: Date | undefined;
    }
  | { readonly does: 'cancel'; readonly subscriptionId: string }
  | { readonly does: 'detach customer'; readonly customerId: string; readonly tenantId: string }
  | {
      readonly does: 'follow Stripe';
      readonly terms: TenantTerms;
      /** Whose metadata then name the plan. */
      readonly subscriptionId: string;
    }
  | { readonly does: 'nothing'; readonly why: string };

/** @example wordsOf({ does: 'cancel', subscriptionId: 'sub_1' }) // 'cancel sub_1, without an invoice' */
export function wordsOf(repair: Repair): string {
  switch (repair.does) {
    case 'report usage':
      return `report ${repair.queries} queries of ${repair.day} again`;
    case 'correct invoice': {
      const { amountCents, month, queries } = repair.correction;
      if (amountCents === 0)
        return `enter ${queries} queries for ${month}, free of charge, on the next invoice`;
      const verb = amountCents < 0 ? 'credit' : 'charge';
      const amount = formatCents(BigInt(Math.abs(amountCents)));
      return `${verb} $${amount} for ${month} on the next invoice`;
    }
    case 'void invoice':
      return `void ${repair.invoiceId}: $${formatCents(BigInt(repair.amountCents))} that nobody paid`;
    case 'subscribe': {
      const { plan, trialEndsAt } = repair;
      const trial = trialEndsAt
        ? `, in trial until ${trialEndsAt.toISOString()}`
        : ', and charge from now on';
      return `subscribe to ${plan}${trial}`;
    }
    case 'cancel':
      return `cancel ${repair.subscriptionId}, without an invoice`;
    case 'detach customer':
      return `take the tenant's name off ${repair.customerId}`;
    case 'follow Stripe': {
      const { plan, state, effectiveFrom } = repair.terms;
      return `record ${plan}, ${state} from ${effectiveFrom.toISOString()}`;
    }
    case 'nothing':
      return `by hand: ${repair.why}`;
    default:
      return repair satisfies never;
  }
}
