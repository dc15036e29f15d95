/** Who asks, and in which version of the API. */
import Stripe from 'stripe';
import { ApiError, unsupported } from './api-error.js';

/** The same version with what is in public preview: redaction jobs. */
const PREVIEW = Stripe.API_VERSION.replace(/\.\w+$/, '.preview');

/** @throws ApiError 401 without a test key, 400 for another version or an account of somebody else. */
export function authenticate(headers: Headers): void {
  const [, key] = /^Bearer (\S+)$/i.exec(headers.get('authorization') ?? '') ?? [];
  if (!key)
    throw new ApiError(401, 'You did not provide an API key. Send it as `Authorization: Bearer sk_test_…`.');
  if (!/^(sk|rk)_test_/.test(key)) {
    // The key is not repeated: a live one may have been sent by mistake.
    throw new ApiError(
      401,
      'Invalid API Key provided: the local Stripe takes keys that start with sk_test_.',
    );
  }
  const version = headers.get('stripe-version') ?? Stripe.API_VERSION;
  if (version !== Stripe.API_VERSION && version !== PREVIEW)
    throw unsupported(`API version ${version.slice(0, 40)}`);
  for (const header of ['stripe-account', 'stripe-context']) {
    if (headers.has(header)) throw unsupported(`The header ${header}`);
  }
}
