/**
 * One class per condition that a caller handles. Each writes its own sentence from the facts,
 * and says what was wrong with which field or setting. Wrong arguments are plain RangeErrors.
 */

/** Outside data (an event, a request, a file) that does not have the shape it must have. */
export class InvalidInputError extends Error {
  override readonly name = 'InvalidInputError';

  /**
   * @param what the thing that was read, e.g. `event`
   * @param field the offending field, e.g. `tokensInput`
   * @param problem e.g. `must be a whole number of at least 0, current value is -5`
   */
  constructor(
    readonly what: string,
    readonly field: string,
    readonly problem: string,
    options?: ErrorOptions,
  ) {
    super(`Cannot accept ${what}: ${field} ${problem}`, options);
  }
}

/** No price for this model at this time, so that the cost of an event cannot be known. */
export class UnknownModelError extends Error {
  override readonly name = 'UnknownModelError';

  constructor(
    readonly model: string,
    readonly priceVersion: string,
    known: readonly string[],
  ) {
    super(
      `Cannot price event: price table ${priceVersion} has no model ${JSON.stringify(model)}, it has ${known.join(', ')}`,
    );
  }
}

/** A setting of the environment that cannot be used. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(
    readonly setting: string,
    readonly problem: string,
  ) {
    super(`Cannot use ${setting}: ${problem}`);
  }
}

/** A month's invoice that was already issued with other figures. */
export class InvoiceChangedError extends Error {
  override readonly name = 'InvoiceChangedError';

  constructor(
    readonly tenantId: string,
    readonly month: string,
    readonly issuedSha256: string,
    readonly madeSha256: string,
  ) {
    super(
      `Cannot keep invoice of ${tenantId} for ${month}: it was issued as ${issuedSha256.slice(0, 8)} and now comes out as ${madeSha256.slice(0, 8)}`,
    );
  }
}

/** Data that the sample month would mix with. */
export class ForeignDataError extends Error {
  override readonly name = 'ForeignDataError';

  constructor(readonly tenants: readonly string[]) {
    super(
      `Cannot load the sample month: the database already has usage of ${tenants.slice(0, 3).join(', ')}; set CLICKHOUSE_DB to a database of its own`,
    );
  }
}

/** A charge that is due with no card to charge. */
export class MissingCardError extends Error {
  override readonly name = 'MissingCardError';

  constructor(readonly tenantId: string) {
    super(
      `Cannot subscribe ${tenantId}: it has no card and no trial; attach a payment method first, or give trialDays`,
    );
  }
}

/** A subscription at Stripe that this kit did not make. */
export class ForeignSubscriptionError extends Error {
  override readonly name = 'ForeignSubscriptionError';

  constructor(readonly subscriptionId: string) {
    super(`Cannot manage subscription ${subscriptionId}: its metadata name no plan, so it was not made here`);
  }
}

/** A tenant that nobody made a customer of. */
export class MissingCustomerError extends Error {
  override readonly name = 'MissingCustomerError';

  constructor(readonly tenantId: string) {
    super(`Cannot bill ${tenantId}: it has no customer at Stripe; make one with createCustomer()`);
  }
}

/** A webhook that may not come from Stripe. */
export class WebhookRefusedError extends Error {
  override readonly name = 'WebhookRefusedError';

  constructor(
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`Cannot accept webhook: ${reason}`, options);
  }
}
