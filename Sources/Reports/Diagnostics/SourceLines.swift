import Manifests

/// The lines of a file that diagnostics show, found in one pass over its bytes. A line ends with LF or CRLF, as in editors.
struct SourceLines {
    private var lines: [Int: [Unicode.Scalar]] = [:]

    /// Finds lines by their numbers.
    ///
    /// - Parameter wanted: The line numbers, counted from 1.
    init(of file: SourceFile, wanted: Set<Int>) {
        guard let last = wanted.max() else { return }
        let bytes = Self.utf8(file.bytes)
        var number = 1
        var start = 0
        var index = 0
        while index < bytes.count, number <= last {
            if bytes[index] == 0x0A {
                keep(bytes[start..<index], number, wanted)
                number += 1
                start = index + 1
            }
            index += 1
        }
        if number <= last { keep(bytes[start...], number, wanted) }
    }

    /// The line with this number; `nil` if it was not requested or the file is shorter.
    subscript(number: Int) -> [Unicode.Scalar]? { lines[number] }

    private mutating func keep(_ line: ArraySlice<UInt8>, _ number: Int, _ wanted: Set<Int>) {
        guard wanted.contains(number) else { return }
        let line = line.last == 0x0D ? line.dropLast() : line
        // A line of megabytes is not shown whole; what is near any column that people look at is.
        lines[number] = Array(String(decoding: line.prefix(1 << 20), as: UTF8.self).unicodeScalars)
    }

    /// Without a byte order mark; from UTF-16 where the mark says so.
    private static func utf8(_ bytes: [UInt8]) -> [UInt8] {
        func units(_ high: Int, _ low: Int) -> [UInt16] {
            stride(from: 2, to: bytes.count - 1, by: 2).map { UInt16(bytes[$0 + high]) << 8 | UInt16(bytes[$0 + low]) }
        }
        if bytes.starts(with: [0xFE, 0xFF]) { return Array(String(decoding: units(0, 1), as: UTF16.self).utf8) }
        if bytes.starts(with: [0xFF, 0xFE]) { return Array(String(decoding: units(1, 0), as: UTF16.self).utf8) }
        return bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
    }
}
