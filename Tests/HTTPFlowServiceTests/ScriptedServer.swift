import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A server on a loopback socket that follows a script byte by byte. Its HTTP support is limited to finding the end of
/// a request.
final class ScriptedServer: Sendable {
    typealias Script = @Sendable (Connection) async throws -> Void

    let port: Int
    private let channel: any Channel
    private let connections: Connections

    /// The bytes that each connection received, as far as the script read them.
    var transcripts: [String] { connections.transcripts.withLock { $0 } }

    /// Counts the requests with this method on all connections.
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

    /// Closes all connections and waits for the scripts to end. Idempotent.
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
        /// Called even if a connection ends before it becomes active, unlike `channelInactive`.
        func handlerRemoved(context: ChannelHandlerContext) { continuation.finish() }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

/// An accepted connection, which is closed at the end of the script.
final class Connection {
    /// The number of the connection in the order of acceptance, from 0.
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

    /// Reads the next request's head, with its empty line; returns `nil` at the end of the connection.
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

    /// Reads the next request; returns `nil` at the end of the connection.
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

    /// Reads until the client closes the connection.
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

    /// Closes the connection with RST instead of FIN.
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
