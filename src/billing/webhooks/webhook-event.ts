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
