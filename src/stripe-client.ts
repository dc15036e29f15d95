/**
 * A Stripe client as the kit's public declarations know it: by a few names, without Stripe's own
 * types (4 MB), which would make the first cell of a notebook wait. `sdkOf()` in billing/ gives the
 * whole of it back.
 */
export interface StripeClient {
  readonly customers: object;
  readonly subscriptions: object;
  readonly invoices: object;
  readonly billing: object;
}
