/** How webhooks go wrong on their way, on purpose: twice, late, in another order, or never. */
import type Stripe from 'stripe';

/**
 * Stripe promises no order and no single delivery; a plan makes a handler meet what it must survive.
 *
 * @example
 * local.deliveryPlan = {
 *   copies: (event) => (event.type === 'invoice.paid' ? 2 : 1),
 *   order: (events) => events.toReversed(),
 * };
 */
export interface DeliveryPlan {
  /** How often an event arrives; 0 loses it. @default once */
  readonly copies?: (event: Stripe.Event) => number;
  /** Seconds of the clock by which a copy is late; copies count from 0. @default not late */
  readonly delaySeconds?: (event: Stripe.Event, copy: number) => number;
  /**
   * The order of the events that an endpoint gets in the same second. What is left out comes last.
   *
   * @default that of their making
   */
  readonly order?: (events: readonly Stripe.Event[]) => readonly Stripe.Event[];
}

/** Takes a webhook: the raw body and its signature. What it throws counts as a refusal. */
export type WebhookHandler = (body: string, signature: string) => unknown;

export interface WebhookFunction {
  readonly handler: WebhookHandler;
  readonly secret: string;
  readonly events: readonly string[];
}
