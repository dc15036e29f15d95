// Jupyter's heartbeat, echoed beat by beat. tslab does not await its echo: one that is under way when the
// sockets close is a rejection that nobody handles, and looks like an error of the notebook.

/**
 * @param socket the one on which heartbeats come
 * @returns what tslab uses of it; its loop over the beats finds none left to echo
 */
function echoing(socket) {
  return {
    bind: (address) => socket.bind(address),
    close: () => socket.close(),
    [Symbol.asyncIterator]: () => ({ next: () => echo(socket) }),
  };
}

async function echo(socket) {
  try {
    for await (const beat of socket) await socket.send(beat);
  } catch (error) {
    if (!socket.closed) throw error;
  }
  return { done: true };
}

module.exports = { echoing };
