import Foundation

/// The bytes of an export, which are read twice: first to check them, then to record them.
package protocol ExportBytes: Sendable {
    /// Reads up to `count` bytes from an offset; empty at the end.
    ///
    /// - Throws: ``LedgerImportError/unreadable(_:)`` when the bytes cannot be read.
    func read(from offset: Int, count: Int) throws(LedgerImportError) -> [UInt8]
}

extension [UInt8]: ExportBytes {
    package func read(from offset: Int, count: Int) -> [UInt8] { Array(dropFirst(offset).prefix(count)) }
}

/// A line of an export, without its line end.
struct ExportLine {
    /// The bytes of the line. Valid only during the call that receives the line.
    let bytes: UnsafeBufferPointer<UInt8>
    /// The line number, counted from 1.
    let number: Int
    /// The offset of the next line in the export, in bytes.
    let next: Int
}

/// A line reader for an export, with only a part of the export in memory.
struct ExportLines {
    private static let chunk = 1 << 18

    private let source: any ExportBytes
    private var buffer: [UInt8] = []
    private var position = 0
    /// The offset of the end of the buffer in the export, in bytes.
    private var end: Int
    private var isAtEnd = false
    /// The number of the last line that was read.
    private(set) var number: Int

    /// - Parameters:
    ///   - offset: the offset of the first line, in bytes.
    ///   - number: the number of the line before it.
    init(_ source: any ExportBytes, from offset: Int = 0, after number: Int = 0) {
        self.source = source
        self.number = number
        end = offset
    }

    /// Calls `body` with the next line. Returns `nil` after the last line.
    mutating func next<Value>(_ body: (ExportLine) -> Value) throws(LedgerImportError) -> Value? {
        var length = lineLength()
        while length == nil, !isAtEnd {
            let searched = buffer.count - position
            try readMore()
            length = lineLength(after: searched)
        }
        guard length != nil || position < buffer.count else { return nil }
        let count = length ?? buffer.count - position
        var line = position..<position + count
        position = min(line.upperBound + 1, buffer.count)
        number += 1
        let (number, next) = (number, end - (buffer.count - position))
        return buffer.withUnsafeBufferPointer { bytes in
            if line.last.map({ bytes[$0] }) == UInt8(ascii: "\r") { line.removeLast() }
            return body(ExportLine(bytes: UnsafeBufferPointer(rebasing: bytes[line]), number: number, next: next))
        }
    }

    /// - Parameter searched: the number of bytes already known to contain no line feed.
    private func lineLength(after searched: Int = 0) -> Int? {
        buffer.withUnsafeBytes { bytes in
            let rest = bytes[(position + searched)...]
            guard let start = UnsafeRawBufferPointer(rebasing: rest).baseAddress,
                let found = memchr(start, 10, rest.count)
            else { return nil }
            return searched + (UnsafeRawPointer(found) - start)
        }
    }

    private mutating func readMore() throws(LedgerImportError) {
        buffer.removeFirst(position)
        position = 0
        let more = try source.read(from: end, count: Self.chunk)
        isAtEnd = more.isEmpty
        buffer += more
        end += more.count
    }
}
