/** What a delivery plan's order means for deliveries, whatever it answers. */

/**
 * The places of `ids` in the order of `wanted`. Events are known by their ids, so copies of them will
 * do; a repeated id asks for its next copy. What is left out comes at the end, what is not there is
 * passed over: every place is there once.
 *
 * @example placesInOrder(['a', 'b', 'c'], ['c', 'a']) // [2, 0, 1]
 */
export function placesInOrder(ids: readonly string[], wanted: readonly string[]): number[] {
  const waiting = new Map<string, number[]>();
  for (const [place, id] of ids.entries()) waiting.set(id, [...(waiting.get(id) ?? []), place]);
  const chosen = new Set<number>();
  for (const id of wanted) {
    const place = waiting.get(id)?.shift();
    if (place !== undefined) chosen.add(place);
  }
  for (const place of ids.keys()) chosen.add(place);
  return [...chosen];
}
