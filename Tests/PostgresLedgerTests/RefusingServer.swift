import Foundation
import Synchronization

/// Speaks just enough of PostgreSQL's protocol to refuse every connection with an error of the test's own.
final class RefusingServer: Sendable {
    let port: Int
    private let listener: Int32
    private static let noSignal = Int32(MSG_NOSIGNAL)
    private static let whole = Int32(MSG_WAITALL)
    private let connections = Mutex(0)

    /// How many connections it has refused.
    var count: Int { connections.withLock { $0 } }

    /// - Parameters:
    ///   - severity: as a server writes it in its language.
    ///   - message: likewise.
    init(sqlState: String, severity: String = "FATAL", message: String) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                guard bind(listener, pointer, length) == 0, listen(listener, 16) == 0,
                    getsockname(listener, pointer, &length) == 0
                else { throw POSIXError(.EADDRINUSE) }
            }
        }
        self.listener = listener
        port = Int(UInt16(bigEndian: address.sin_port))
        let fields = ["S\(severity)", "VFATAL", "C\(sqlState)", "M\(message)", "Fauth.c", "L331", "Rauth_failed"]
        let body: [UInt8] = fields.reduce(into: []) { $0 += Array($1.utf8) + [0] } + [0]
        let answer = [UInt8(ascii: "E")] + Self.bytes(body.count + 4) + body
        let thread = Thread { [weak self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else {
                    // Not in `deinit`: the next server could get the number while this thread still accepts on it.
                    close(listener)
                    return
                }
                if Self.readStartup(connection) {
                    self?.connections.withLock { $0 += 1 }
                    _ = send(connection, answer, answer.count, Self.noSignal)
                }
                close(connection)
            }
        }
        thread.start()
    }

    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    /// - Returns: `false` where the client goes away before it has said who it is.
    private static func readStartup(_ connection: Int32) -> Bool {
        while true {
            var head = [UInt8](repeating: 0, count: 8)
            guard recv(connection, &head, 8, Self.whole) == 8 else { return false }
            let words = [head[0..<4], head[4..<8]].map { $0.reduce(0) { $0 << 8 | Int($1) } }
            // Requests for TLS and for GSSAPI are declined.
            if [80_877_103, 80_877_104].contains(words[1]) {
                _ = send(connection, "N", 1, Self.noSignal)
                continue
            }
            var rest = [UInt8](repeating: 0, count: max(0, words[0] - 8))
            return recv(connection, &rest, rest.count, Self.whole) == rest.count
        }
    }

    private static func bytes(_ number: Int) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - $0 * 8)) }
    }
}
