/** What a caller of the billing manager may handle: one class per condition, as in errors.ts. */

/** Something of the catalogue that is not at Stripe, where it may not be made. */
export class NoCatalogueError extends Error {
  override readonly name = 'NoCatalogueError';

  /** @param missing e.g. `price meterbridge_pro_base` */
  constructor(readonly missing: string) {
    super(`Cannot find ${missing} at Stripe; ensureCatalogue() makes it, as every start of the server does`);
  }
}

/** A tenant's customer that is there already, with another e-mail address or name. */
export class CustomerDiffersError extends Error {
  override readonly name = 'CustomerDiffersError';

  constructor(
    readonly tenantId: string,
    readonly customerId: string,
    readonly field: 'email' | 'name',
    readonly found: string | null | undefined,
    readonly given: string,
  ) {
    super(
      `Cannot make a customer of ${tenantId}: it is ${customerId} with ${field} ${JSON.stringify(found)}, not ${JSON.stringify(given)}; getOrCreateCustomer() takes it as it is`,
    );
  }
}

/** A subscription that is asked for with other terms while an earlier request for one counts. */
export class SubscriptionConflictError extends Error {
  override readonly name = 'SubscriptionConflictError';

  constructor(
    readonly tenantId: string,
    options?: ErrorOptions,
  ) {
    super(
      `Cannot subscribe ${tenantId}: an earlier request with other terms is under way or failed; try again when it is settled, after a day at the latest`,
      options,
    );
  }
}

/** A subscription that is asked for while the customer's own ends with its month. */
export class SubscriptionLeavingError extends Error {
  override readonly name = 'SubscriptionLeavingError';

  constructor(
    readonly tenantId: string,
    readonly subscriptionId: string,
    readonly endsAt: Date,
  ) {
    super(
      `Cannot subscribe ${tenantId}: its subscription ${subscriptionId} ends at ${endsAt.toISOString()}; resumeSubscription() lets it go on`,
    );
  }
}

/** An invoice that somebody else is paying at the same moment. */
export class PaymentUnderWayError extends Error {
  override readonly name = 'PaymentUnderWayError';

  constructor(
    readonly invoiceId: string,
    options?: ErrorOptions,
  ) {
    super(
      `Cannot pay invoice ${invoiceId}: another request is paying it; look in a moment whether it is paid`,
      options,
    );
  }
}

/** A cancellation that cannot be taken back. */
export class SubscriptionEndedError extends Error {
  override readonly name = 'SubscriptionEndedError';

  constructor(
    readonly subscriptionId: string,
    readonly status: string,
  ) {
    super(
      `Cannot resume subscription ${subscriptionId}: it is over, status is ${status}; make a new one with createSubscription()`,
    );
  }
}

/** A subscription that is given together with a tenant and is not the tenant's. */
export class WrongTenantError extends Error {
  override readonly name = 'WrongTenantError';

  constructor(
    readonly subscriptionId: string,
    readonly tenantId: string,
    readonly owner: string | undefined,
  ) {
    super(
      `Cannot bill ${tenantId} by subscription ${subscriptionId}: it is ${owner === undefined ? 'no tenant' : owner}'s`,
    );
  }
}

/** Usage that Stripe does not have, at a moment after which it would be billed at another price or not at all. */
export class UnreportedUsageError extends Error {
  override readonly name = 'UnreportedUsageError';

  constructor(
    readonly tenantId: string,
    /** Days that are missing, e.g. `2025-11-30`. */
    readonly days: readonly string[],
    readonly reason: string,
  ) {
    super(
      `Cannot change or end the plan of ${tenantId}: its usage of ${days.join(', ')} is not at Stripe (${reason}); try again`,
    );
  }
}
