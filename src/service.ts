/**
 * One outside service as the kit sees it: a client in `embedded` or `configured` mode,
 * or `off` with the reason, in the words that a cell prints when it skips.
 */
export type Service<Client> =
  | {
      readonly mode: 'embedded' | 'configured';
      readonly client: Client;
      /** Where it is, without secrets, e.g. `redis://127.0.0.1:40123` or `.data/m12.1/clickhouse`. */
      readonly address: string;
    }
  | { readonly mode: 'off'; readonly skip: string };

/** Why a service is off when it is so on purpose. */
export const OFFLINE = 'OFFLINE=true';

/**
 * Several services as one: their clients by name, or off for the first reason there is.
 *
 * @example await withService(allOf({ clickhouse: services.clickhouse, stripe: services.stripe }), ({ stripe }) =>
 *   ensureCatalogue(stripe));
 */
export function allOf<Clients extends object>(
  services: {
    readonly [Name in keyof Clients]: Service<Clients[Name]>;
  },
): Service<Clients> {
  const named = Object.entries<Service<unknown>>(services);
  const clients: Record<string, unknown> = {};
  for (const [name, service] of named) {
    if (service.mode === 'off') return service;
    clients[name] = service.client;
  }
  const configured = named.some(([, { mode }]) => mode === 'configured');
  const address = named.map(([, service]) => (service.mode === 'off' ? '' : service.address)).join(', ');
  return { mode: configured ? 'configured' : 'embedded', client: clients as Clients, address };
}
