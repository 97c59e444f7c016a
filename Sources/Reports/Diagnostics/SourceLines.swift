import Manifests
import Text

/// The lines of a file that diagnostics show, found in one pass over its bytes. A line ends with LF or CRLF, as in editors.
struct SourceLines {
    private var lines: [Int: [Unicode.Scalar]] = [:]

    /// Finds lines by their numbers.
    ///
    /// - Parameter lineNumbers: The line numbers, counted from 1.
    init(of file: SourceFile, lineNumbers: Set<Int>) {
        guard let last = lineNumbers.max() else { return }
        let bytes = utf8Text(file.bytes)
        var number = 1
        var start = 0
        var index = 0
        while index < bytes.count, number <= last {
            if bytes[index] == 0x0A {
                keep(bytes[start..<index], number: number, ifIn: lineNumbers)
                number += 1
                start = index + 1
            }
            index += 1
        }
        if number <= last { keep(bytes[start...], number: number, ifIn: lineNumbers) }
    }

    /// The line with this number; `nil` if it was not requested or the file is shorter.
    subscript(number: Int) -> [Unicode.Scalar]? { lines[number] }

    private mutating func keep(_ line: ArraySlice<UInt8>, number: Int, ifIn lineNumbers: Set<Int>) {
        guard lineNumbers.contains(number) else { return }
        let line = line.last == 0x0D ? line.dropLast() : line
        // A line of megabytes is not shown whole; what is near any column that people look at is.
        lines[number] = Array(String(decoding: line.prefix(1 << 20), as: UTF8.self).unicodeScalars)
    }
}
