/// Returns a text's bytes in UTF-8 without a byte order mark; the mark of UTF-16 also selects its decoding.
package func utf8Text(_ bytes: [UInt8]) -> [UInt8] {
    func units(_ high: Int, _ low: Int) -> [UInt16] {
        stride(from: 2, to: bytes.count - 1, by: 2).map { UInt16(bytes[$0 + high]) << 8 | UInt16(bytes[$0 + low]) }
    }
    if bytes.starts(with: [0xFE, 0xFF]) { return Array(String(decoding: units(0, 1), as: UTF16.self).utf8) }
    if bytes.starts(with: [0xFF, 0xFE]) { return Array(String(decoding: units(1, 0), as: UTF16.self).utf8) }
    return bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
}
