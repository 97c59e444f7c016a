import CZlib
import FlowService
import Text

/// A content coding that Sluice decodes. Requests ask for uncompressed answers (`Accept-Encoding: identity`), but some
/// proxies compress them anyway.
enum ContentCoding: Hashable, Sendable {
    case gzip
    case deflate

    /// - Parameter name: the coding's registered name, in lower case.
    private init?(_ name: String) {
        switch name {
        case "gzip", "x-gzip": self = .gzip
        case "deflate": self = .deflate
        default: return nil
        }
    }

    /// A coding that Sluice does not decode, such as `br`.
    struct Unknown: Error {
        let name: String
    }

    /// Parses `Content-Encoding` and `Transfer-Encoding`.
    ///
    /// - Parameter headers: the values of both headers, in the order in which the codings were applied.
    /// - Returns: the codings in that order.
    static func codings(_ headers: [String]) throws(Unknown) -> [ContentCoding] {
        var codings: [ContentCoding] = []
        for name in headers.flatMap({ $0.split(separator: ",") }) {
            let name = String(name).trimmingWhitespace.lowercased()
            if ["", "identity", "chunked"].contains(name) { continue }
            guard let coding = ContentCoding(name) else { throw Unknown(name: name) }
            codings.append(coding)
        }
        return codings
    }

    /// Decodes as much of a body as possible.
    ///
    /// - Parameter limit: the maximum number of decoded bytes.
    /// - Returns: the decoded bytes, and the reason why they are incomplete; `nil` when they are complete.
    func decoded(_ body: [UInt8], upTo limit: Int) -> (bytes: [UInt8], cut: String?) {
        // Some servers send headers with a coding but an empty body.
        if body.isEmpty { return ([], nil) }
        // The window size for zlib. Adding 16 selects gzip, and a negative size selects raw data without zlib's header,
        // which some servers also send as `deflate`.
        let windowBits: Int32 =
            switch self {
            case .gzip: MAX_WBITS + 16
            case .deflate: Self.hasZlibHeader(body) ? MAX_WBITS : -MAX_WBITS
            }
        return Inflation(body, upTo: limit, windowBits: windowBits).result
    }

    private static func hasZlibHeader(_ body: [UInt8]) -> Bool {
        body.count >= 2 && body[0] & 0x0F == 8 && (Int(body[0]) << 8 | Int(body[1])) % 31 == 0
    }
}

/// A single decompression of a whole body.
private struct Inflation {
    private(set) var result: (bytes: [UInt8], cut: String?)

    private static let damaged = "its compressed data is damaged"

    init(_ body: [UInt8], upTo limit: Int, windowBits: Int32) {
        result = ([], Self.damaged)
        // zlib keeps a pointer to its stream, so the stream must not move.
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        defer {
            inflateEnd(stream)
            stream.deallocate()
        }
        guard inflateInit2_(stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            return
        }
        var input = body
        input.withUnsafeMutableBufferPointer { input in
            stream.pointee.next_in = input.baseAddress
            stream.pointee.avail_in = uInt(clamping: input.count)
            result.cut = inflateAll(stream, upTo: limit)
        }
    }

    /// - Returns: the reason why the decoded bytes are incomplete; `nil` when they are complete.
    private mutating func inflateAll(_ stream: UnsafeMutablePointer<z_stream>, upTo limit: Int) -> String? {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let (status, written) = chunk.withUnsafeMutableBufferPointer { chunk in
                stream.pointee.next_out = chunk.baseAddress
                stream.pointee.avail_out = uInt(clamping: chunk.count)
                let status = inflate(stream, Z_NO_FLUSH)
                return (status, chunk.count - Int(stream.pointee.avail_out))
            }
            let room = limit - result.bytes.count
            result.bytes += chunk.prefix(min(written, room))
            if written > room { return "it is longer than \(limit.grouped) bytes" }
            switch status {
            case Z_OK: continue
            case Z_STREAM_END:
                // A gzip file may have several members. Any other data after the end is ignored, as gzip does.
                guard let next = stream.pointee.next_in, stream.pointee.avail_in >= 2, next[0] == 0x1F, next[1] == 0x8B
                else { return nil }
                guard inflateReset(stream) == Z_OK else { return Self.damaged }
            case Z_BUF_ERROR: return "its compressed data ends too early"
            default: return Self.damaged
            }
        }
    }
}
