import Foundation

/// The bytes of an export. They are read more than once: first all of them are checked, then they are recorded.
package protocol ExportBytes: Sendable {
    /// Up to so many bytes from a place on; none at the end.
    ///
    /// - Throws: ``LedgerImportError/unreadable(_:)``.
    func read(from offset: Int, count: Int) throws(LedgerImportError) -> [UInt8]
}

extension [UInt8]: ExportBytes {
    package func read(from offset: Int, count: Int) -> [UInt8] { Array(dropFirst(offset).prefix(count)) }
}

/// A line of an export, without its line end.
struct ExportLine {
    /// Valid only while it is handed out.
    let bytes: UnsafeBufferPointer<UInt8>
    /// Counted from 1.
    let number: Int
    /// Where the next line begins in the export.
    let next: Int
}

/// The lines of an export, of which a part is in memory.
struct ExportLines {
    private static let chunk = 1 << 18

    private let source: any ExportBytes
    private var buffer: [UInt8] = []
    private var position = 0
    /// Where the buffer ends in the export.
    private var end: Int
    private var isAtEnd = false
    /// Of the last line.
    private(set) var number: Int

    /// - Parameters:
    ///   - offset: where the first line begins.
    ///   - number: of the line before it.
    init(_ source: any ExportBytes, from offset: Int = 0, after number: Int = 0) {
        self.source = source
        self.number = number
        end = offset
    }

    /// Calls `body` with the next line; `nil` after the last.
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

    /// - Parameter searched: how many bytes are known to hold no line feed.
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
