/** Where a command listens: `--port` and `--host`, checked. */

/** For parseArgs. */
export const listenOptions = (port: string) =>
  ({ port: { type: 'string', default: port }, host: { type: 'string', default: '127.0.0.1' } }) as const;

/**
 * @throws RangeError naming the option that cannot be used.
 * @example parseListenOptions({ port: '8787', host: '127.0.0.1' }).port // 8787
 */
export function parseListenOptions({ port, host }: { port: string; host: string }) {
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new RangeError(`Cannot listen: --port must be 0 to 65535, current value is ${port}`);
  }
  // Node would listen on all addresses.
  if (host.trim() === '') throw new RangeError('Cannot listen: --host must be an address, and is empty');
  return { port: Number(port), host };
}
