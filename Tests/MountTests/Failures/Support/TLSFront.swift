// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

/// A TLS server on 127.0.0.1 in front of a plain one, with a certificate that only its own authority vouches for.
final class TLSFront {
  let endpoint: String
  /// PEM file of the authority.
  let authority: String
  private let program: RunningProcess

  init(_ bench: FailureBench, to port: Int) async throws {
    authority = bench.folder + "/authority.pem"
    let made = try await bench.shell(
      """
      key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
      openssl req -x509 $key -subj '/CN=BergFS test authority' -days 2 -keyout authority.key -out authority.pem &&
      openssl req $key -subj /CN=127.0.0.1 -keyout server.key -out server.csr &&
      echo subjectAltName=IP:127.0.0.1 > names.txt &&
      openssl x509 -req -in server.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 2 -extfile names.txt -out server.pem
      """)
    try made.succeeded()
    program = try bench.start("/usr/bin/python3", ["-u", "-c", Self.forwarder, bench.folder, "\(port)"])
    let running = program
    _ = await eventually(within: .seconds(20)) { running.output.last == UInt8(ascii: "\n") || running.status != nil }
    let text = String(decoding: running.output, as: UTF8.self).filter(\.isNumber)
    try #require(running.status == nil && !text.isEmpty, "\(String(decoding: running.errors, as: UTF8.self))")
    endpoint = "https://127.0.0.1:\(text)"
  }

  func stop() {
    program.signal(SIGKILL)
  }

  /// Writes its port, then passes bytes both ways.
  private static let forwarder = """
    import socket, ssl, sys, threading
    folder, port = sys.argv[1], int(sys.argv[2])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder + "/server.pem", folder + "/server.key")
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1])
    def copy(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
    def serve(plain):
        try:
            front = context.wrap_socket(plain, server_side=True)
        except OSError:
            return
        back = socket.create_connection(("127.0.0.1", port))
        threading.Thread(target=copy, args=(front, back), daemon=True).start()
        copy(back, front)
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
    """
}
