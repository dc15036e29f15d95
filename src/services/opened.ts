/** What opening a service gives. */
import type { Service } from '../service.js';

/** A service and the way to end it. */
export interface Opened<Client> {
  readonly service: Service<Client>;
  close(): Promise<void>;
}

/** Longest wait for the first answer of a service at an address. */
export const FIRST_ANSWER_MS = 5_000;

/** @example off('OFFLINE=true').service // { mode: 'off', skip: 'OFFLINE=true' } */
export const off = (skip: string): Opened<never> => ({
  service: { mode: 'off', skip },
  close: async () => undefined,
});
