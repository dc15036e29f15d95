/** A crowd that arrives at one instant, to try what holds against it. */

export interface Gathering {
  /** Resolves when the last one has arrived. */
  arrive(): Promise<void>;
}

/**
 * Lets all go on when the last has arrived. Over the network requests come one after the other,
 * quick enough for wrong code to deal with each in time; from here they come at the same instant.
 *
 * @example
 * const gathering = gatheringOf(40);
 * await gathering.arrive();
 */
export function gatheringOf(size: number): Gathering {
  let missing = size;
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return {
    arrive() {
      missing -= 1;
      if (missing <= 0) open();
      return opened;
    },
  };
}
