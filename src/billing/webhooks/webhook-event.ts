/** What a handler needs of an event: it looks the object up at Stripe, since its copy here may be old. */
export interface WebhookEvent {
  readonly id: string;
  /** e.g. `invoice.payment_failed` */
  readonly type: string;
  /** When it came to be, in epoch seconds. Events come in any order, and many in one second. */
  readonly created: number;
  /** Id of the invoice, subscription, dispute … that it is about; empty for an object without one. */
  readonly objectId: string;
}

/** What is read of Stripe's; not its own type, which a notebook would have to load. */
type StripeEvent = Pick<WebhookEvent, 'id' | 'type' | 'created'> & {
  readonly data: { readonly object: object };
};

/** An event as the queue keeps it; undefined for what is none. */
export function eventOf({ id, type, created, data }: StripeEvent): WebhookEvent | undefined {
  // An account's balance, for one, has no id; nobody handles it, and Stripe must not try it for days.
  const { id: objectId = '' } = data.object as { id?: string };
  const isEvent = [id, type, objectId].every((text) => typeof text === 'string');
  return isEvent ? { id, type, created, objectId } : undefined;
}
