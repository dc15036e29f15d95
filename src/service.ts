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
