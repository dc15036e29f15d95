/** The parameters of subscriptions, shared by their calls and by previews. */
import { z } from 'zod';
import { choice, clearable, flag, id, integer, list, metadata, text, timestamp } from '../http/parameters.js';

const MOST_UNITS = 999_999;
const quantity = integer(0, MOST_UNITS);

export const prorationBehavior = choice('create_prorations', 'always_invoice', 'none');

const missingMethod = choice('create_invoice', 'pause', 'cancel').optional();
const newTrialSettings = z.strictObject({
  end_behavior: z.strictObject({
    billing_cycle_anchor: choice('now', 'unchanged').optional(),
    missing_payment_method: missingMethod,
  }),
});
const trialSettings = z.strictObject({
  end_behavior: z.strictObject({ missing_payment_method: missingMethod }),
});

const newItem = z.strictObject({ price: id, quantity: quantity.optional(), metadata: metadata.optional() });

export const createShape = {
  customer: id,
  items: list(newItem, 20).refine((items) => items.length > 0, 'at least one item'),
  billing_cycle_anchor: timestamp.optional(),
  billing_mode: z.strictObject({ type: choice('flexible') }).optional(),
  collection_method: choice('charge_automatically', 'send_invoice').optional(),
  days_until_due: integer(0, 365).optional(),
  default_payment_method: id.optional(),
  description: text(500).optional(),
  metadata: metadata.optional(),
  payment_behavior: choice('allow_incomplete', 'error_if_incomplete').optional(),
  trial_end: z.union([z.literal('now'), timestamp]).optional(),
  trial_period_days: integer(0, 730).optional(),
  trial_settings: newTrialSettings.optional(),
};
export type CreateSubscriptionParams = z.output<z.ZodObject<typeof createShape>>;

/** An item that is there is named by its id; one without is added. */
export const changedItem = z.strictObject({
  id: id.optional(),
  price: id.optional(),
  quantity: quantity.optional(),
  deleted: flag.optional(),
  metadata: metadata.optional(),
});

const cancellationDetails = z.strictObject({ comment: clearable(text()).optional() });

export const cancelShape = {
  cancellation_details: cancellationDetails.optional(),
  invoice_now: flag.optional(),
  prorate: flag.optional(),
};

export const updateShape = {
  cancel_at_period_end: flag.optional(),
  cancellation_details: cancellationDetails.optional(),
  default_payment_method: clearable(id).optional(),
  description: clearable(text(500)).optional(),
  items: list(changedItem, 20).optional(),
  metadata: metadata.optional(),
  pause_collection: clearable(
    z.strictObject({ behavior: choice('keep_as_draft', 'mark_uncollectible', 'void') }),
  ).optional(),
  proration_behavior: prorationBehavior.optional(),
  proration_date: timestamp.optional(),
  trial_end: z.union([z.literal('now'), timestamp]).optional(),
  trial_settings: trialSettings.optional(),
};
export type UpdateSubscriptionParams = z.output<z.ZodObject<typeof updateShape>>;
