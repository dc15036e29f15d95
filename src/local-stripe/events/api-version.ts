/** The one version of the API that is spoken: that of the installed SDK. */
import Stripe from 'stripe';

export const API_VERSION = Stripe.API_VERSION;
