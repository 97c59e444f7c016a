/// The values of a statement's `$1`, `$2`, … in libpq's text format: consecutive zero-terminated texts.
struct Parameters {
    private var bytes: [CChar] = []
    /// The offset of each value; `nil` for NULL.
    private var starts: [Int?] = []

    var count: Int { starts.count }

    mutating func add(_ text: String?) {
        starts.append(text == nil ? nil : bytes.count)
        guard let text else { return }
        for byte in text.utf8 { bytes.append(zeroFree: byte) }
        bytes.append(0)
    }

    mutating func add(_ number: (some BinaryInteger)?) { add(number.map { String($0) }) }

    mutating func add(_ array: ArrayLiteral) {
        starts.append(bytes.count)
        bytes += array.closed
        bytes.append(0)
    }

    func withPointers<Value>(_ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Value) -> Value {
        bytes.withUnsafeBufferPointer { buffer in
            let pointers: [UnsafePointer<CChar>?] = starts.map { start in
                start.flatMap { start in buffer.baseAddress.map { $0 + start } }
            }
            return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
        }
    }
}

/// One column of many rows, as a PostgreSQL array: `{"a",NULL}`.
struct ArrayLiteral {
    private var bytes: [CChar] = [CChar(bitPattern: UInt8(ascii: "{"))]

    var closed: [CChar] { bytes + [CChar(bitPattern: UInt8(ascii: "}"))] }

    mutating func add(_ text: String?) {
        if bytes.count > 1 { append(",") }
        guard let text else { return append("NULL") }
        append("\"")
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { append("\\") }
            bytes.append(zeroFree: byte)
        }
        append("\"")
    }

    mutating func add(_ number: (some BinaryInteger)?) { add(number.map { String($0) }) }

    private mutating func append(_ text: String) { for byte in text.utf8 { bytes.append(CChar(bitPattern: byte)) } }
}

extension [CChar] {
    /// Appends a byte of a text. PostgreSQL texts cannot contain zero bytes, so a zero byte in a service message is
    /// replaced by U+001A, the substitute character.
    fileprivate mutating func append(zeroFree byte: UInt8) { append(CChar(bitPattern: byte == 0 ? 0x1A : byte)) }
}
