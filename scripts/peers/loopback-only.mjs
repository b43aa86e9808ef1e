// Loaded before server-everything (`node --import`), which listens on every interface: a test server listens on loopback only.
//
// Prints one JSON line with the port once a server listens, so that PORT=0 (the system chooses) can be used.

import net from "node:net";

const listen = net.Server.prototype.listen;

net.Server.prototype.listen = function listenOnLoopback(port, ...rest) {
  this.once("listening", () => console.log(JSON.stringify({ listening: this.address().port })));
  return listen.call(this, Number(port), "127.0.0.1", ...rest);
};
