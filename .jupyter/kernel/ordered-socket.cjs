// tslab does not wait for one message to be sent before it sends the next. zeromq takes some 500 in one turn of
// the event loop; the next one has to wait, and those beside it are refused: of 3,000 printed lines a notebook
// showed 503, and said nothing.

/**
 * @param socket the one on which outputs are published
 * @returns what tslab uses of it; messages leave in their order, at once as long as zeromq takes them
 */
function ordered(socket) {
  // Else a reader that is slow loses what comes after the thousandth message.
  socket.sendHighWaterMark = 0;
  const waiting = [];
  let last;

  async function sendWaiting() {
    while (waiting.length > 0) {
      try {
        await last;
        last = socket.send(waiting[0]);
      } catch (error) {
        // What is left when the socket closes has nobody to go to.
        if (socket.closed) return;
        throw error;
      }
      waiting.shift();
    }
  }

  return {
    bind: (address) => socket.bind(address),
    close: () => socket.close(),
    send(parts) {
      if (waiting.length > 0) {
        waiting.push(parts);
        return;
      }
      try {
        last = socket.send(parts);
      } catch (error) {
        if (error.code !== 'EBUSY') throw error;
        waiting.push(parts);
        void sendWaiting();
      }
    },
  };
}

module.exports = { ordered };
