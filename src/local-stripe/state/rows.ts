/** The rows that are no objects of the SDK: mostly what is known here beyond what Stripe shows. */
import type Stripe from 'stripe';
import type { PriceTier } from '../money/price-lines.js';
import type { Row } from './table.js';
import type { Timed } from './timeline.js';

/** The tiers of a price, which are only shown when asked for. */
export interface TierRow extends Row {
  readonly tiers: readonly PriceTier[];
}

/** A charge that covers an item's time: what a credit for unused time goes back to. */
export interface Billed {
  readonly amount: number;
  readonly start: number;
  readonly end: number;
  readonly price: string;
  readonly quantity: number;
  /** The invoice that charged it, or the invoice item, which goes on one. */
  readonly invoice: string | null;
  readonly invoiceItem: string | null;
  /** The charge that it replaced: it counts again should this one be written off together with the credit. */
  readonly before?: Billed | null;
  /** Invoice items that gave its rest back. */
  readonly credits?: readonly string[];
}

/** What has been billed of a subscription item; its id is the item's. */
export interface ItemRow extends Row {
  readonly subscription: string;
  /** Usage before this time has been billed, or is free. */
  readonly usageFrom: number;
  readonly billed: Billed | null;
  /** The time as of which the item was deleted. */
  readonly deletedAt: number | null;
}

/** Usage that an invoice will bill when it is finalized; its id is the invoice's. */
export interface UsageSegmentsRow extends Row {
  readonly segments: readonly UsageSegment[];
}

export interface UsageSegment {
  readonly item: string;
  readonly price: string;
  readonly from: number;
  readonly to: number;
  /** Nothing goes on counting behind it: usage of the second `to` is its own too. */
  readonly isLast?: boolean;
}

/** A meter event that was taken in. */
export interface MeterEventRow extends Row {
  readonly identifier: string;
  readonly meter: string;
  readonly customer: string;
  /** The decimal as it was sent. */
  readonly value: string;
  readonly timestamp: number;
  readonly received: number;
  /** Taken back: it counts no more, and its identifier stays taken. */
  readonly cancelled: boolean;
  /** The item that ended in its second and billed it; one that begins in that second does not. */
  readonly closedBy?: string;
}

/** A correction of a credit; its id is its invoice item's. */
export interface CorrectionRow extends Row {
  readonly credit: string;
}

/** The most that a customer has used of a meter; its id names both. */
export interface UsageTotalRow extends Row {
  readonly most: string;
}

/** A span of time in which every charge of a customer fails. */
export interface OutageRow extends Row {
  readonly customer: string;
  readonly from: number;
  readonly until: number;
  readonly declineCode: string;
}

/** The first answer to a key. */
export interface IdempotencyRow extends Row {
  readonly fingerprint: string;
  readonly status: number;
  readonly body: string;
  readonly at: number;
}

/** A redaction job; the SDK has no type for it. */
export interface RedactionJobRow extends Row {
  readonly object: 'privacy.redaction_job';
  readonly created: number;
  readonly livemode: false;
  readonly objects: { readonly customers: readonly string[] };
  readonly status: 'ready' | 'succeeded';
  readonly validation_behavior: 'error';
}

/** When a customer was last written, on the live clock: search lags behind it. */
export interface WrittenRow extends Row {
  readonly at: number;
}

/** Steps of a clock, in the order in which those of the same second are done. */
export const STEPS = [
  'expire_incomplete',
  'trial_will_end',
  'end_period',
  'finalize',
  'pass_due_date',
  'retry',
] as const;

export interface DueRow extends Timed {
  readonly step: (typeof STEPS)[number];
  /** The subscription or the invoice. */
  readonly subject: string;
}

/** An event on its way to an endpoint. */
export interface DeliveryRow extends Timed {
  readonly event: string;
  /** What it tells, e.g. `invoice.created/in_1`. */
  readonly about: string;
  readonly endpoint: string;
  /** Tries so far. */
  readonly attempts: number;
  readonly firstAt: number;
}

/** An event before it is kept: its object is the one that was written. */
export interface PendingEvent {
  readonly type: string;
  readonly clock: string;
  readonly at: number;
  readonly object: object;
  readonly previous: object | undefined;
  readonly request: { id: string | null; idempotency_key: string | null };
}

export type StoredEvent = Omit<Stripe.Event, 'data' | 'type' | 'api_version' | 'request'> & {
  readonly type: string;
  readonly api_version: string;
  readonly request: PendingEvent['request'];
  readonly data: { readonly object: object; readonly previous_attributes?: object };
};

/** An event, with the clock that its object lives on. */
export interface EventRow extends Row {
  readonly clock: string;
  readonly event: StoredEvent;
}
