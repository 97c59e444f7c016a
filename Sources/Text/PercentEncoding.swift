extension String {
    /// The text encoded as the value of a form field or query item: all but RFC 3986's unreserved characters.
    package var formEncoded: String { percentEncoded { _ in false } }

    /// Percent-encodes all bytes except RFC 3986's unreserved characters and those for which `isKept` returns `true`.
    package func percentEncoded(except isKept: (UInt8) -> Bool) -> String {
        var encoded = ""
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            case _ where isKept(byte): encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default: encoded += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }
        return encoded
    }
}
