/** The engine in this process as a connection of the ClickHouse client. */
import { Readable } from 'node:stream';
import type { ChdbConnection } from 'chdb/connection';

type Settings = Record<string, string | number | boolean>;

const INSERT = /^INSERT INTO (\w+) \((.+)\) FORMAT JSONCompactEachRow$/;

/** The other cores are for the requests of this process. */
const ONE_THREAD = { max_threads: 1, input_format_parallel_parsing: 0 };

/**
 * Bytes that are inserted reach the engine as they are: the connection of chdb would make text of them and
 * copy it three times, and all requests wait meanwhile, 4 ms for 10,000 events. Their settings go into the
 * statement; set beside it they would hold for all later statements, and the next batch would be dropped as
 * known.
 *
 * @param path folder of the data
 */
export async function embeddedConnection(path: string): Promise<ChdbConnection> {
  // Loaded here, not above: the engine has 500 MB, and is not made for every platform.
  const { createChdbConnection } = await import('chdb/connection');
  const connection = createChdbConnection({ path });
  const exec = connection.exec.bind(connection);
  connection.exec = async (params) => {
    if (!params.values) return exec(params);
    const [, table, columns] = INSERT.exec(params.query) ?? [];
    if (!table || !columns)
      throw new Error('Cannot insert: need INSERT INTO table (a, b) FORMAT JSONCompactEachRow');
    const chunks = typeof params.values === 'string' ? [params.values] : await params.values.toArray();
    await connection.chdb.rawInsert({
      table,
      columns: columns.split(', '),
      format: 'JSONCompactEachRow',
      settings: { ...(params.clickhouse_settings as Settings), ...ONE_THREAD },
      values: chunks.length === 1 ? chunks[0] : Buffer.concat(chunks),
    });
    return { stream: Readable.from([]), query_id: params.query_id ?? '', response_headers: {} };
  };
  return connection;
}
