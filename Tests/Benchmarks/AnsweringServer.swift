import FlowRuns
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A stateless Flow Service on the loopback address that answers immediately.
final class AnsweringServer: Sendable {
    let address: String
    private let channel: any Channel
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    /// Starts the server.
    ///
    /// - Parameter runsPerFlow: The number of ended runs listed for each flow.
    init(runsPerFlow: Int = 0) async throws {
        let counter = Mutex(0)
        channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(
                        Answering { method, path in
                            Self.answer(method, path, runsPerFlow) {
                                counter.withLock {
                                    $0 += 1; return $0
                                }
                            }
                        })
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        address = "http://127.0.0.1:\(channel.localAddress?.port ?? 0)"
    }

    func stop() async throws {
        try await channel.close()
        try await group.shutdownGracefully()
    }

    private static func answer(_ method: HTTPMethod, _ path: String, _ runs: Int, _ next: () -> Int) -> String {
        if method == .POST {
            return #"{"items":[{"id":"\#(id(next()))","etag":"\"1100c53e-0000-0200-0000-627138980000\""}]}"#
        }
        let path = path.removingPercentEncoding ?? path
        if path.hasPrefix("/flows") {
            let ids = path.firstRange(of: "id==").map { path[$0.upperBound...].prefix { $0 != "&" } }
            let items = (ids ?? path.dropFirst("/flows/".count)).split(separator: ",").map {
                #"{"id":"\#($0)","scheduleParams":{"frequency":"once"}}"#
            }
            return #"{"items":[\#(items.joined(separator: ","))]}"#
        }
        let flow = path.firstRange(of: "flowId==").map { path[$0.upperBound...].prefix(36) } ?? ""
        let number = (Int(flow.suffix(12), radix: 16) ?? 0) * 1000
        let items = (0..<runs).map { index in
            let start = 1_600_000_000 + index * 3600
            return """
                {"id":"\(id(number + index))","flowId":"\(flow)","createdAt":\((start + 4000) * 1000),\
                "params":{"windowStartTime":"\(start)","windowEndTime":"\(start + 3600)"},\
                "metrics":{"statusSummary":{"status":"success"},\
                "recordSummary":{"inputRecordCount":100,"outputRecordCount":100}}}
                """
        }
        return #"{"items":[\#(items.joined(separator: ","))],"_links":{}}"#
    }

    private static func id(_ number: Int) -> String {
        let digits = String(number, radix: 16)
        return "3fb0418e-1804-45d6-8d56-" + String(repeating: "0", count: 12 - digits.count) + digits
    }
}

/// A handler of one connection.
private final class Answering: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let answer: (HTTPMethod, String) -> String
    private var head: HTTPRequestHead?

    init(_ answer: @escaping (HTTPMethod, String) -> String) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body: break
        case .end:
            guard let head else { return }
            let body = context.channel.allocator.buffer(string: answer(head.method, head.uri))
            let headers: HTTPHeaders = [
                "Content-Type": "application/json", "Content-Length": "\(body.readableBytes)", "Date": Self.date(),
            ]
            let status: HTTPResponseStatus = head.method == .POST ? .created : .ok
            context.write(
                wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))),
                promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }

    /// The current time in the form of the `Date` header. An answer with an old time would count as cached.
    private static func date() -> String {
        var (now, parts) = (time(nil), tm())
        gmtime_r(&now, &parts)
        var text = [CChar](repeating: 0, count: 32)
        let length = strftime(&text, text.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
        return String(decoding: text.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
