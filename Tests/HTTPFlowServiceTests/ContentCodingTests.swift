import FlowRuns
import Foundation
import Testing

@testable import FlowService
@testable import HTTPFlowService

/// Answers that a proxy has compressed, although each request asks for none.
@Suite("Compressed answers", .timeLimit(.minutes(1)))
struct ContentCodingTests {
    private static let items = #"{"items":[{"id":"\#(Tutorial.run)"}]}"#
    /// ``items`` in gzip, in zlib's format and as bare deflate data.
    private static let gzip = bytes(
        "H4sIAAAAAAACA6tWyixJzS1WsoquVspMUbJSMk5LMjAxtEjVNbQwMNE1MU0x07VIMTXTTUkxNUwzME02SEpMU6qNrQUA3464QDkAAAA=")
    private static let zlib = bytes(
        "eNqrVsosSc0tVrKKrlbKTFGyUjJOSzIwMbRI1TW0MDDRNTFNMdO1SDE1001JMTVMMzBNNkhKTFOqja0FANqVEEU=")
    private static let bareDeflate = bytes(
        "q1bKLEnNLVayiq5WykxRslIyTksyMDG0SNU1tDAw0TUxTTHTtUgxNdNNSTE1TDMwTTZISkxTqo2tBQA=")
    /// `{"message":"the flow is disabled"}` in gzip.
    private static let error = bytes(
        "H4sIAAAAAAACA6tWyk0tLk5MT1WyUirJSFVIy8kvV8gsVkjJLE5MyklNUaoFAJKIXrciAAAA")
    /// 16 MiB of zeros in gzip, in gzip.
    private static let bomb = bytes(
        "H4sIAAAAAAACA+3arQ3CYBSG0f4gGgTgEXQMDIKQIFCYasIQOEQTJIYVSKhmBZiCsANBoAmlH0MgmnPUq698ckf7LAqS9HGN42aUh8/5mXUjAAAAoOXK+y4NMSDK69t8WQAAAABtt+73Or8o8F4Np84BAAAArVdNxnloAYNXvZklHiUAAADgDy7F4rg9NSP+Ag5zyLbIPwAA"
    )

    private static func bytes(_ base64: String) -> [UInt8] { [UInt8](Data(base64Encoded: base64) ?? Data()) }

    private func ask(_ header: String, _ body: [UInt8], status: Int = 201) async throws -> RunAnswer {
        try await answer { connection in
            _ = await connection.request()
            try await connection.answer(status, bytes: body, headers: [header])
        }
    }

    @Test(
        "gzip and deflate are decoded, however they are named",
        arguments: [
            ("gzip", gzip), ("GZIP", gzip), ("x-gzip", gzip), ("identity, gzip", gzip), ("deflate", zlib),
            ("Deflate", bareDeflate), ("identity", Array(items.utf8)), ("", Array(items.utf8)),
        ])
    func decoded(coding: String, body: [UInt8]) async throws {
        let answer = try await ask("Content-Encoding: \(coding)", body)
        #expect(answer == .accepted(Tutorial.run, response: Self.items))
    }

    @Test("a transfer coding is decoded like a content coding")
    func transferCoding() async throws {
        let answer = try await answer { connection in
            _ = await connection.request()
            try await connection.send("HTTP/1.1 201 Created\r\nTransfer-Encoding: gzip, chunked\r\n\r\n")
            try await connection.send("\(String(Self.gzip.count, radix: 16))\r\n")
            try await connection.send(bytes: Self.gzip)
            try await connection.send("\r\n0\r\n\r\n")
        }
        #expect(answer == .accepted(Tutorial.run, response: Self.items))
    }

    @Test("gzip data of several members is decoded, and what follows the last one is ignored")
    func members() {
        let decoded = ContentCoding.gzip.decoded(Self.gzip + Self.gzip + [0, 0], upTo: 1_000)
        #expect(String(decoding: decoded.bytes, as: UTF8.self) == Self.items + Self.items)
        #expect(decoded.cut == nil)
    }

    @Test("a read is decoded, and so are the service's words for an error")
    func reads() async throws {
        let runs = try await serving({ connection in
            while await connection.request() != nil {
                try await connection.answer(200, bytes: Self.gzip, headers: ["Content-Encoding: gzip"])
            }
        }) { service, _ in try await service.runs(of: Tutorial.flow, newestFirst: true, after: nil) }
        #expect(runs.items.map(\.id) == [Tutorial.run])
        let refused = try await ask("Content-Encoding: gzip", Self.error, status: 400)
        #expect(refused.reason == "400: the flow is disabled")
    }

    @Test(
        "data that is damaged, or ends too early, is not taken for the whole",
        arguments: [
            (Array("plain text".utf8), "data is damaged"), (Array(gzip.dropLast(9)), "data ends too early"),
            (Array(gzip.dropLast(8)) + [1, 2, 3, 4, 5, 6, 7, 8], "data is damaged"),
        ] as [([UInt8], String)])
    func damaged(body: [UInt8], reason: String) async throws {
        let answer = try await ask("Content-Encoding: gzip", body)
        #expect(answer.kind == "unknown" && answer.reason.contains(reason), "\(answer)")
    }

    @Test("an empty body needs no decoding")
    func empty() async throws {
        #expect(try await ask("Content-Encoding: gzip", [], status: 400).reason == "400")
    }

    @Test("a small body that grows is decoded up to the limit only")
    func bomb() async throws {
        let answer = try await ask("Content-Encoding: gzip, gzip", Self.bomb)
        #expect(answer.reason.contains("it is longer than 65,536 bytes"), "\(answer.reason)")
    }

    @Test("any other coding is named", arguments: ["br", "zstd", "gzip, br", "compress"])
    func unknown(coding: String) async throws {
        let name = coding.split(separator: " ").last.map(String.init) ?? ""
        let answer = try await ask("Content-Encoding: \(coding)", [0x8B, 0x1F, 0x00])
        #expect(answer.kind == "unknown" && answer.reason.contains("encoded as '\(name)'"), "\(answer)")
        let refused = try await ask("Content-Encoding: \(coding)", [0x8B, 0x1F, 0x00], status: 400)
        #expect(refused == .refused(reason: "400: its message is encoded as '\(name)'", response: ""))
    }
}
