/** How calls go wrong on their way, on purpose. */
import { ApiError } from './api-error.js';
import { type Handler, refuse } from './handle-request.js';

/**
 * - `lost_request`: the connection breaks before anything is done;
 * - `lost_answer`: it breaks after the call was carried out;
 * - `rate_limited`, `unavailable`: answered with 429 or 503, and nothing is done.
 */
export type Fault = 'lost_request' | 'lost_answer' | 'rate_limited' | 'unavailable';

export type FaultPlan = (request: {
  method: string;
  path: string;
  idempotencyKey: string | null;
}) => Fault | undefined;

/** Answers a request, or lets it go wrong. */
export async function withFaults(request: Request, plan: FaultPlan, handle: Handler): Promise<Response> {
  const fault = plan({
    method: request.method,
    path: new URL(request.url).pathname,
    idempotencyKey: request.headers.get('idempotency-key'),
  });
  switch (fault) {
    case undefined:
      return handle(request);
    case 'lost_request':
      throw new TypeError('The connection was lost before the request arrived');
    case 'lost_answer':
      await handle(request);
      throw new TypeError('The connection was lost before the answer arrived');
    case 'rate_limited':
      return refuse(new ApiError(429, 'Request rate limit exceeded.', { code: 'rate_limit' }));
    case 'unavailable':
      return refuse(new ApiError(503, 'Stripe is not available.', { type: 'api_error' }));
    default:
      return fault satisfies never;
  }
}
