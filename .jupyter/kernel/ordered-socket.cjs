// tslab does not wait for one message to be sent before it sends the next. zeromq takes some 500 in one turn of
// the event loop; the next one has to wait, and those beside it are refused: of 3,000 printed lines a notebook
// showed 503, and said nothing.

/**
 * @param socket the one on which outputs are published
 * @returns what tslab uses of it; messages leave one after the other
 */
function ordered(socket) {
  // Else a reader that is slow loses what comes after the thousandth message.
  socket.sendHighWaterMark = 0;
  let last = Promise.resolve();
  return {
    bind: (address) => socket.bind(address),
    close: () => socket.close(),
    send(parts) {
      // What is left when the socket closes has nobody to go to.
      last = last.then(() => (socket.closed ? undefined : socket.send(parts)));
    },
  };
}

module.exports = { ordered };
