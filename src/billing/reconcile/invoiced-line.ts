/** A line at Stripe in the words of our plan invoice, and where it stands. */
import type { PlanLine } from '../../invoices/plan-invoice.js';
import type { Period } from '../../period.js';
import type { PlanName } from '../../plans.js';

export interface InvoicedLine extends Omit<PlanLine, 'kind'> {
  /** `other`: of none of the kit's prices, so made by hand. */
  readonly kind: PlanLine['kind'] | 'other';
  readonly plan: PlanName | null;
  /** The plan invoice that it belongs to: a fee in advance is on that of the month before. */
  readonly month: string;
  readonly period: Period;
  readonly subscriptionId: string | null;
  /** Null while it waits for the next invoice. */
  readonly invoiceId: string | null;
  /** Its invoice's; `held`: a draft that is not finalized by itself; `stranded`: it waits, and none will come. */
  readonly status: 'draft' | 'open' | 'paid' | 'uncollectible' | 'void' | 'held' | 'waiting' | 'stranded';
  /** Whether today's catalogue has another price for it. */
  readonly hasOlderPrice: boolean;
  /** Whether it corrects another line that was final. */
  readonly corrects: boolean;
}
