/** A failed payment that is known by its count alone, as the course's scenarios have it. */
import { z } from 'zod';
import { tenantId } from '../input.js';

export interface FailedPayment {
  readonly tenantId: string;
  /** From 1 on. */
  readonly failureCount: number;
  /** In cents. */
  readonly invoiceAmount: number;
}

export const failedPayment: z.ZodType<FailedPayment> = z.object({
  tenantId,
  failureCount: z.int('must be a whole number').min(1, 'must be at least 1'),
  invoiceAmount: z.int('must be whole cents').min(0, 'must be at least 0'),
});
