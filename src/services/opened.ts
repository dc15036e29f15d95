/** What opening a service gives. */
import type { Service } from '../service.js';

/** A service and the way to end it. */
export interface Opened<Client> {
  readonly service: Service<Client>;
  close(): Promise<void>;
}

/** @example off('OFFLINE=true').service // { mode: 'off', skip: 'OFFLINE=true' } */
export const off = (skip: string): Opened<never> => ({
  service: { mode: 'off', skip },
  close: async () => undefined,
});
