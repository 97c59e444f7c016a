import Foundation

/// A JSON document read without expectations: whatever is absent or of another type than asked is `nil`, because the
/// service's documents and its answers do not agree on their shapes.
struct JSONDocument {
    private let value: Any?

    /// A document that cannot be read has nothing in it.
    init(_ bytes: [UInt8]) { value = try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed) }

    private init(_ value: Any?) { self.value = value }

    subscript(key: String) -> JSONDocument { JSONDocument((value as? [String: Any])?[key]) }

    subscript(index: Int) -> JSONDocument {
        guard let elements = value as? [Any], elements.indices.contains(index) else { return JSONDocument(nil) }
        return JSONDocument(elements[index])
    }

    var elements: [JSONDocument]? { (value as? [Any])?.map { JSONDocument($0) } }
    var members: [String: JSONDocument]? { (value as? [String: Any])?.mapValues { JSONDocument($0) } }
    var text: String? { value as? String }

    /// A whole number, or a string that holds one.
    var integer: Int64? {
        if let text { return Int64(text) }
        // A truth value is a number too to Foundation, of the Objective-C type `c`.
        guard let number = value as? NSNumber, number.objCType.pointee != CChar(UInt8(ascii: "c")) else { return nil }
        return Int64(exactly: number.doubleValue) == nil ? nil : number.int64Value
    }

    /// The elements of a list envelope (`{"items":[…]}`), or the document itself as the only one. [O] and [T] differ in
    /// which of them a single run or flow comes in.
    var items: [JSONDocument]? { self["items"].elements ?? (self["id"].text == nil ? nil : [self]) }
}
