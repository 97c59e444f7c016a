import FlowService
import Foundation

/// A leniently decoded JSON document: absent values, and values of another type, are `nil`. The service's answers do
/// not match their own documentation.
struct JSONDocument {
    private let value: Any?

    /// Parses a document. Invalid JSON gives an empty document.
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

    /// The value as a whole number, also when it is written as a string.
    var integer: Int64? {
        if let text { return Int64(text) }
        // Foundation also represents Booleans as numbers, with the Objective-C type `c`.
        guard let number = value as? NSNumber, number.objCType.pointee != CChar(UInt8(ascii: "c")) else { return nil }
        return Int64(exactly: number.doubleValue) == nil ? nil : number.int64Value
    }

    /// The elements of a list envelope (`{"items":[…]}`), or the document itself as the only element. [O] and [T]
    /// differ in how they return a single run or flow.
    var items: [JSONDocument]? { self["items"].elements ?? (self["id"].text == nil ? nil : [self]) }
}
