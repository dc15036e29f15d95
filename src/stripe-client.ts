/**
 * A Stripe client as the kit's public declarations know it: by what a lesson calls itself, without
 * Stripe's own types (4 MB), which would make the first cell of a notebook wait. `sdkOf()` in billing/
 * gives the whole of it back.
 */
export interface StripeClient {
  readonly customers: object;
  readonly subscriptions: { cancel(id: string): Promise<{ readonly status: string }> };
  readonly invoices: object;
  readonly billing: {
    readonly meters: {
      create(params: object): Promise<{ readonly id: string }>;
      /** Queries of the windows of a time, in epoch seconds. */
      listEventSummaries(
        id: string,
        params: { customer: string; start_time: number; end_time: number },
      ): Promise<{ readonly data: readonly { readonly aggregated_value: number }[] }>;
    };
    readonly meterEvents: { create(params: object): Promise<object> };
  };
}
