/** All that the local Stripe answers. A path without an id stands before the one that its name would fit. */
import type { Route } from '../http/route.js';
import { customerRoutes } from './customers.js';
import { eventRoutes } from './events.js';
import { invoiceItemRoutes } from './invoice-items.js';
import { invoiceRoutes } from './invoices.js';
import { meterEventRoutes } from './meter-events.js';
import { meterRoutes } from './meters.js';
import { paymentMethodRoutes } from './payment-methods.js';
import { paymentRoutes } from './payments.js';
import { priceRoutes } from './prices.js';
import { productRoutes } from './products.js';
import { redactionJobRoutes } from './redaction-jobs.js';
import { subscriptionRoutes } from './subscriptions.js';
import { testClockRoutes } from './test-clocks.js';

export const ROUTES: readonly Route[] = [
  ...customerRoutes,
  ...paymentMethodRoutes,
  ...productRoutes,
  ...priceRoutes,
  ...meterRoutes,
  ...meterEventRoutes,
  ...subscriptionRoutes,
  ...invoiceRoutes,
  ...invoiceItemRoutes,
  ...paymentRoutes,
  ...eventRoutes,
  ...testClockRoutes,
  ...redactionJobRoutes,
];
