/// The type of a scalar in the core schema of YAML 1.2 (section 10.3.2 of the specification).
package enum SchemaType: String, Hashable, Sendable, CaseIterable {
    case null
    case bool
    case int
    case float
    case string
}

/// Types are resolved on access only, so `no` in a text field is the text `no`. A quoted or block scalar is always
/// text, unless a core tag (`!!int "5"`) says otherwise.
extension YAMLNode {
    /// Whether the value is empty, `~`, `null`, `Null` or `NULL`.
    package var isNull: Bool { couldHaveTag("null") && withText(CoreText.isNull) }

    /// The Boolean value: `true`, `True`, `TRUE` and the same spellings of `false`. `yes`, `no`, `on` and `off` are
    /// text.
    package var bool: Bool? { couldHaveTag("bool") ? withText(CoreText.bool) : nil }

    /// The value of a decimal, octal (`0o17`) or hexadecimal (`0xF`) integer of at most 64 bits; otherwise `nil`.
    package var int64: Int64? { couldHaveTag("int") ? withText(CoreText.int64) : nil }

    /// The value of a number, including integers, `.inf` and `.nan`.
    package var double: Double? {
        guard couldHaveTag("float") || couldHaveTag("int") else { return nil }
        return withText { text in CoreText.int64(text).map(Double.init) ?? CoreText.double(text) }
    }

    /// The type of the value, for messages. An integer that does not fit 64 bits is still an `int`; a collection is a
    /// `string`.
    package var schemaType: SchemaType {
        guard kind == .scalar else { return .string }
        if isNull { return .null }
        if bool != nil { return .bool }
        if couldHaveTag("int"), withText(CoreText.isInteger) { return .int }
        return double == nil ? .string : .float
    }

    private func couldHaveTag(_ type: StaticString) -> Bool {
        if isPlain { return true }
        guard kind == .scalar, let tag else { return false }
        return tag == "tag:yaml.org,2002:\(type)"
    }
}

/// The regular expressions of the core schema, implemented by hand.
private enum CoreText {
    static func isNull(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        text.isEmpty || text.isOne(of: "~", "null", "Null", "NULL")
    }

    static func bool(_ text: UnsafeBufferPointer<UInt8>) -> Bool? {
        if text.isOne(of: "true", "True", "TRUE") { return true }
        return text.isOne(of: "false", "False", "FALSE") ? false : nil
    }

    static func isInteger(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        let (radix, digits) = integerParts(text)
        return !digits.isEmpty && digits.allSatisfy { ($0.digitValue ?? .max) < radix }
    }

    static func int64(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
        guard isInteger(text) else { return nil }
        let (radix, digits) = integerParts(text)
        let isNegative = text.first == UInt8(ascii: "-")
        var value: Int64 = 0
        for digit in digits {
            // Accumulate downwards: the minimum has no positive counterpart.
            let (product, tooLarge) = value.multipliedReportingOverflow(by: Int64(radix))
            let (next, tooSmall) = product.subtractingReportingOverflow(Int64(digit.digitValue ?? 0))
            guard !tooLarge, !tooSmall else { return nil }
            value = next
        }
        if isNegative { return value }
        return value == .min ? nil : -value
    }

    /// Splits an integer into radix and digits. Only a decimal may have a sign.
    private static func integerParts(_ text: UnsafeBufferPointer<UInt8>) -> (UInt8, Slice<UnsafeBufferPointer<UInt8>>) {
        if text.count > 2, text[0] == UInt8(ascii: "0") {
            if text[1] == UInt8(ascii: "o") { return (8, text.dropFirst(2)) }
            if text[1] == UInt8(ascii: "x") { return (16, text.dropFirst(2)) }
        }
        let hasSign = text.first.map { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") } ?? false
        return (10, text.dropFirst(hasSign ? 1 : 0))
    }

    static func double(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
        if text.isOne(of: ".nan", ".NaN", ".NAN") { return .nan }
        if text.isOne(of: ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF") { return .infinity }
        if text.isOne(of: "-.inf", "-.Inf", "-.INF") { return -.infinity }
        guard hasFloatForm(text) else { return nil }
        return Double(String(decoding: text, as: UTF8.self))
    }

    /// Whether the text matches `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`.
    private static func hasFloatForm(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var rest = text[...]
        func skip(_ set: StaticString) -> Bool {
            guard let byte = rest.first, set.withUTF8Buffer({ $0.contains(byte) }) else { return false }
            rest = rest.dropFirst()
            return true
        }
        func skipDigits() -> Bool {
            let before = rest.count
            rest = rest.drop { ($0.digitValue ?? .max) < 10 }
            return rest.count < before
        }
        _ = skip("+-")
        let hasWhole = skipDigits()
        let hasFraction = skip(".") && skipDigits()
        guard hasWhole || hasFraction else { return false }
        if skip("eE") {
            _ = skip("+-")
            guard skipDigits() else { return false }
        }
        return rest.isEmpty
    }
}

extension UnsafeBufferPointer<UInt8> {
    fileprivate func isOne(of words: StaticString...) -> Bool {
        words.contains { word in word.withUTF8Buffer { elementsEqual($0) } }
    }
}

extension UInt8 {
    /// The value of the character as a digit of a base up to 16.
    fileprivate var digitValue: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
