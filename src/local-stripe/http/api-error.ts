/** Errors as Stripe answers them. */

export interface ApiErrorFacts {
  /** @default invalid_request_error */
  readonly type?: string;
  readonly code?: string;
  /** The parameter that was wrong, e.g. `items[0][price]`. */
  readonly param?: string;
  readonly declineCode?: string;
  /** The id of the charge that failed. */
  readonly charge?: string;
  /** What the `stripe-should-retry` header says; absent leaves it to the SDK. */
  readonly shouldRetry?: boolean;
}

/** A call that is answered with an error: a status, and the envelope that the SDK turns into its classes. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  /** @param status of HTTP: 400, 401, 402, 404, 409, 429 or 500 */
  constructor(
    readonly status: number,
    message: string,
    readonly facts: ApiErrorFacts = {},
  ) {
    super(message);
  }

  /** The body, e.g. `{ error: { type: 'invalid_request_error', message: 'No such price: …' } }`. */
  envelope(requestId: string): object {
    const { type = 'invalid_request_error', code, param, declineCode, charge } = this.facts;
    const error = { type, code, decline_code: declineCode, charge, message: this.message, param };
    return { error: { ...error, request_log_url: `https://dashboard.stripe.com/test/logs/${requestId}` } };
  }
}

/**
 * What Stripe can do and the local one cannot.
 *
 * @param what e.g. `collection_method=send_invoice`
 */
export function unsupported(what: string, param?: string): ApiError {
  return new ApiError(400, `${what} is not supported by the local Stripe.`, param ? { param } : {});
}

/** A wrong argument, in Stripe's words where they are known. */
export function invalid(message: string, param?: string, code?: string): ApiError {
  return new ApiError(400, message, { ...(param && { param }), ...(code && { code }) });
}

/** What is not there, or not any more. */
export function missing(kind: string, id: string, param = 'id'): ApiError {
  return new ApiError(404, `No such ${kind}: '${id}'`, { code: 'resource_missing', param });
}
