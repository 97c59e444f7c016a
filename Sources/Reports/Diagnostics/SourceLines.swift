import Manifests

/// The lines of a file that diagnostics refer to, found in a single pass over its bytes.
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
            let width = Self.breakWidth(bytes, at: index)
            if width > 0 {
                keep(bytes[start..<index], number, wanted)
                number += 1
                start = index + width
            }
            index += max(1, width)
        }
        if number <= last { keep(bytes[start...], number, wanted) }
    }

    /// The line with this number; `nil` if it was not requested or the file is shorter.
    subscript(number: Int) -> [Unicode.Scalar]? { lines[number] }

    private mutating func keep(_ line: ArraySlice<UInt8>, _ number: Int, _ wanted: Set<Int>) {
        guard wanted.contains(number) else { return }
        // Limit huge lines: only the part around a column that people look at is shown.
        lines[number] = Array(String(decoding: line.prefix(1 << 20), as: UTF8.self).unicodeScalars)
    }

    /// Returns the number of bytes of the YAML 1.1 line break at an index; 0 if there is none.
    private static func breakWidth(_ bytes: [UInt8], at index: Int) -> Int {
        func follows(_ offset: Int, _ value: UInt8) -> Bool {
            index + offset < bytes.count && bytes[index + offset] == value
        }
        switch bytes[index] {
        case 0x0A: return 1
        case 0x0D: return follows(1, 0x0A) ? 2 : 1
        case 0xC2: return follows(1, 0x85) ? 2 : 0
        case 0xE2: return follows(1, 0x80) && (follows(2, 0xA8) || follows(2, 0xA9)) ? 3 : 0
        default: return 0
        }
    }

    /// Removes the byte order mark, and converts UTF-16 that has one to UTF-8.
    private static func utf8(_ bytes: [UInt8]) -> [UInt8] {
        func units(_ high: Int, _ low: Int) -> [UInt16] {
            stride(from: 2, to: bytes.count - 1, by: 2).map { UInt16(bytes[$0 + high]) << 8 | UInt16(bytes[$0 + low]) }
        }
        if bytes.starts(with: [0xFE, 0xFF]) { return Array(String(decoding: units(0, 1), as: UTF16.self).utf8) }
        if bytes.starts(with: [0xFF, 0xFE]) { return Array(String(decoding: units(1, 0), as: UTF16.self).utf8) }
        return bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
    }
}
