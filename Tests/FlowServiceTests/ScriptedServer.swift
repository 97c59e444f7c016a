import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A server on a real loopback socket that does what a script says, byte by byte: it knows no HTTP but what a request's
/// end needs.
final class ScriptedServer: Sendable {
    typealias Script = @Sendable (Connection) async throws -> Void

    let port: Int
    private let channel: any Channel
    private let connections: Connections

    /// The bytes that each connection brought, as far as the script read them.
    var transcripts: [String] { connections.transcripts.withLock { $0 } }

    /// How many requests with this method came, over all connections.
    func count(_ method: String) -> Int {
        transcripts.reduce(0) { sum, transcript in
            sum + transcript.split(separator: "\r\n").count { $0.contains(method + " /") && $0.hasSuffix(" HTTP/1.1") }
        }
    }

    init(host: String = "127.0.0.1", tls: NIOSSLContext? = nil, _ script: @escaping Script) async throws {
        let connections = Connections()
        self.connections = connections
        channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    let (parts, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
                    try channel.pipeline.syncOperations.addHandler(Inbound(continuation))
                    connections.run(script, on: channel, parts)
                }
            }
            .bind(host: host, port: 0).get()
        port = channel.localAddress?.port ?? 0
    }

    /// Closes everything and waits for the scripts to end. Idempotent.
    func stop() async {
        try? await channel.close()
        await connections.stop()
    }

    private final class Connections: Sendable {
        let transcripts = Mutex<[String]>([])
        private let running = Mutex<[(any Channel, Task<Void, Never>)]>([])

        func run(_ script: @escaping Script, on channel: any Channel, _ parts: AsyncStream<ByteBuffer>) {
            let index = transcripts.withLock {
                $0.append(""); return $0.count - 1
            }
            let task = Task {
                let connection = Connection(index, channel, parts) { text in
                    self.transcripts.withLock { $0[index] += text }
                }
                try? await script(connection)
                try? await channel.close()
            }
            running.withLock { $0.append((channel, task)) }
        }

        func stop() async {
            for (channel, task) in running.withLock({ $0 }) {
                task.cancel()
                try? await channel.close()
                await task.value
            }
        }
    }

    private final class Inbound: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        private let continuation: AsyncStream<ByteBuffer>.Continuation

        init(_ continuation: AsyncStream<ByteBuffer>.Continuation) { self.continuation = continuation }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { continuation.yield(unwrapInboundIn(data)) }
        /// Also comes when a connection ends before it was active.
        func handlerRemoved(context: ChannelHandlerContext) { continuation.finish() }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

/// One accepted connection. It is closed when the script ends.
final class Connection {
    /// From 0, in the order in which they were accepted.
    let index: Int
    private let channel: any Channel
    private var parts: AsyncStream<ByteBuffer>.AsyncIterator
    private let record: (String) -> Void
    private var unread = ""

    init(
        _ index: Int, _ channel: any Channel, _ parts: AsyncStream<ByteBuffer>, record: @escaping (String) -> Void
    ) {
        self.index = index
        self.channel = channel
        self.parts = parts.makeAsyncIterator()
        self.record = record
    }

    /// The next request's head, with its empty line; `nil` at the connection's end.
    func head() async -> String? {
        while true {
            if let end = unread.firstRange(of: "\r\n\r\n") {
                let head = String(unread[..<end.upperBound])
                unread = String(unread[end.upperBound...])
                return head
            }
            guard await more() else { return nil }
        }
    }

    /// The next request, whole; `nil` at the connection's end.
    func request() async -> (head: String, body: String)? {
        guard let head = await head() else { return nil }
        let announced = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
        let length = announced.flatMap { Int($0.split(separator: " ")[1]) } ?? 0
        while unread.utf8.count < length {
            guard await more() else { return nil }
        }
        let body = String(decoding: unread.utf8.prefix(length), as: UTF8.self)
        unread = String(decoding: unread.utf8.dropFirst(length), as: UTF8.self)
        return (head, body)
    }

    /// Reads until the other side closes.
    func rest() async { while await more() {} }

    func send(_ text: String) async throws { try await channel.writeAndFlush(ByteBuffer(string: text)) }

    func send(bytes: [UInt8]) async throws { try await channel.writeAndFlush(ByteBuffer(bytes: bytes)) }

    /// A whole answer, as a well-behaved server gives it.
    func answer(_ status: Int, _ body: String = "", headers: [String] = []) async throws {
        try await answer(status, bytes: Array(body.utf8), headers: headers)
    }

    func answer(_ status: Int, bytes: [UInt8], headers: [String] = []) async throws {
        let lines = ["HTTP/1.1 \(status) Status", "Content-Length: \(bytes.count)"] + headers
        try await send(bytes: Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + bytes)
    }

    /// Ends the connection by an RST instead of a FIN.
    func reset() async throws {
        if let socket = channel as? any SocketOptionProvider {
            try await socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        }
        try await channel.close()
    }

    private func more() async -> Bool {
        guard let part = await parts.next() else { return false }
        let text = String(buffer: part)
        record(text)
        unread += text
        return true
    }
}
