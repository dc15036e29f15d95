/** A change of plan of a tenant that has no subscription at Stripe which could be changed. */
export class NoSubscriptionError extends Error {
  override readonly name = 'NoSubscriptionError';

  constructor(readonly tenantId: string) {
    super(`Cannot change the plan of ${tenantId}: it has no subscription that is not over`);
  }
}
