# The configuration under which the tests run workerd, with two compatibility dates; `worker.js` is launch/workerd.ts bundled with the package.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    # Loopback counts as private: the client's half connects to the test's servers.
    (name = "internet", network = (allow = ["private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);

const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "COMPATIBILITY_DATE",
  # Sealed frames do not compress.
  compatibilityFlags = ["no_web_socket_compression"],
);
